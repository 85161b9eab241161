// The other parts: headline, search, alpha, retraining, mistakes, images, how to repeat the run.

// ---- Headline

function stages() {
  const option = (name) => Number(data.configuration[name] ?? 0);
  const state = (stage, done, all, what) => {
    if (data.finished.includes(stage)) return 'finished';
    if (!done) return 'not started';
    return all >= done ? `${whole(done)} of ${plural(all, what)}` : plural(done, what);
  };
  const cells = Object.values(selection?.candidates ?? {});
  const nodes = cells.length && !oneInput ? edgeEnds(cells[0].length - 1).node + 1 : 0;
  const decisions = cells.reduce((sum, edges) => sum + edges.length, 0) + 2 * Math.max(0, nodes - 1);
  const searched = lines('search').length;
  const search = data.parent && !data.finished.includes('search') ? `of run ${data.parent}` : state('search', searched, option('epochs'), 'epoch');
  return [['Search', search], ['Selection', state('select', events.length, decisions, 'decision')],
    ['Retraining', state('train', lines('train').length, option('train-epochs'), 'epoch')]];
}
function headline(box) {
  const tiles = element('div', {class: 'tiles'});
  const tile = (value, label, kind = '') =>
    tiles.append(element('div', {class: `tile ${kind}`}, element('b', {dir: 'auto'}, value), element('span', {}, label)));
  const e = data.evaluation, d = data.data;
  if (e) {
    tile(percent(e.top1), `test accuracy, ${plural(e.images, 'image')}`, 'first');
    tile(million(e.parameters), 'parameters');
    tile(million(e.multiply_adds), 'multiply-adds an image');
  }
  if (d) tile(d.name, `${plural(d.classes.length, 'class', 'classes')}, ${d.height} × ${d.width}, ${whole(d.train)} + ${whole(d.test)} images`);
  if (selection) tile(selection.selection, `selection in space ${selection.space}`);
  const states = stages();
  if (states.some(([, state]) => state !== 'finished')) {
    box.append(element('p', {class: 'stages'}, ...states.map(([name, state]) =>
      element('span', {class: state === 'finished' ? 'stage done' : 'stage'}, `${name}: `, element('bdi', {}, state)))));
  }
  box.append(tiles);
  glance(box);
}

// ---- Search

function curves(parent, prefix, phase, kinds) {
  const grid = element('div', {class: 'pair'});
  parent.append(grid);
  for (const [quantity, title] of [['accuracy', 'Accuracy'], ['loss', 'Loss (cross-entropy)']]) {
    const sets = kinds.map(([key, label, name, dash], shape) => series(label, name, pointsOf(lines(phase), `${key}_${quantity}`), {dash, shape}));
    addChart(grid, `${prefix}-${quantity}`, 'line', sets.filter((set) => set.data.length), {label: `${title} by epoch of the ${prefix}`, y: quantity,
      caption: `${title} by epoch`});
  }
}
function searchSection(box) {
  if (data.parent && !data.finished.includes('search')) box.append(sentence('The supernet is that of run ', named(data.parent), '.'));
  box.append(paragraph('The supernet holds every candidate network at once. One half of the training images teaches its weights, the other half ' +
    'teaches alpha and serves as validation. Validation sees the images as they are; the training numbers are those of the augmented batches as they passed.'));
  curves(box, 'search', 'search', [['train', 'training half', 'alpha', []], ['valid', 'validation half', 'masking', [5, 4]]]);
}

const alphaLines = data.metrics.filter((line) => line.alpha && (line.phase === 'search' || line.phase === 'tune'));
const searchEpochs = lines('search').length;
const alphaPlace = (line) => line.epoch + (line.phase === 'tune' ? searchEpochs : 0);
function alphaSets(cell, edge) {
  const names = selection?.candidates?.[cell]?.[edge] ?? alphaLines[0].alpha[cell][edge].map((_, index) => `operation ${index + 1}`);
  return names.map((name, index) => series(name, name,
    alphaLines.filter((line) => line.alpha[cell][edge]?.[index] != null).map((line) => ({x: alphaPlace(line), y: line.alpha[cell][edge][index]})),
    {shape: Math.max(index, operations.indexOf(name))}));
}
function alphaSection(box) {
  box.append(paragraph('Alpha is one number for each operation of each edge, turned into shares that add up to 1 (softmax). They all start equal. ' +
    'What rises here is what makes the mixture learn fastest, which need not be what the final network should consist of.'));
  const first = alphaLines[0].alpha;
  const cell = choice('Cell', cellTypes.map((type) => [type, type]));
  const edge = choice('Edge', first.normal.map((_, index) => [index, `${index}: ${edgeName(edgeEnds(index).from, edgeEnds(index).node)}`]));
  const start = measuredEvents.find(differs);
  if (start) [cell.select.value, edge.select.value] = [start.cell, String(start.edge)];
  const note = element('span', {class: 'soft', role: 'status'});
  box.append(element('div', {class: 'controls'}, cell.node, edge.node, note));
  const made = addChart(box, 'alpha', 'line', [], {label: 'Alpha by epoch', y: 'softmax weight', x: 'epoch of the search, then of tuning',
    caption: 'The weights of one edge’s operations after each epoch.',
    marker: lines('tune').length ? verticalLine(searchEpochs - 0.5, 'selection begins') : null});
  made.config.options.elements.point.radius = alphaLines.length > 60 ? 0 : 3;
  made.showEdge = (c, e) => {
    [cell.select.value, edge.select.value] = [c, String(e)];
    const sets = alphaSets(c, e);
    const event = operationEvents.find((one) => one.cell === c && one.edge === e);
    note.textContent = event ? `chosen: ${event.chosen}; alpha’s choice: ${event.alpha_choice}` : '';
    colourDatasets(sets);
    (made.chart ?? made.config).data.datasets = sets;
    made.chart?.update('none');
    made.canvas.closest('figure').querySelector('details > :not(summary)')?.remove();
    made.canvas.closest('figure').querySelector('details').open = false;
  };
  const show = () => made.showEdge(cell.select.value, Number(edge.select.value));
  for (const {select} of [cell, edge]) select.addEventListener('change', show);
  show();
}

// ---- Retraining and test

function trainSection(box) {
  box.append(paragraph('The chosen network, its weights trained from scratch on the whole training part. Test images are looked at for this report ' +
    'only; the accuracy reported is that of the last epoch.'));
  curves(box, 'retraining', 'train', [['train', 'training, augmented', 'alpha', []], ['valid', 'held out', 'third', [2, 3]], ['test', 'test', 'masking', [5, 4]]]);
  const best = data.evaluation?.best;
  if (best) {
    box.append(paragraph(`The epoch that was best on the ${best.chosen_on === 'validation' ? 'held-out images' : best.chosen_on}, ` +
      `number ${best.epoch}, has a test accuracy of ${percent(best.top1, 2)}.`));
  }
}
function confusionSection(box) {
  const e = data.evaluation, names = e.per_class.map((row) => row.class);
  box.append(paragraph(`Test accuracy ${percent(e.top1, 2)}, top-5 ${percent(e.top5, 2)}, loss ${e.loss.toFixed(4)}; ` +
    `${e.milliseconds_per_image.toFixed(2)} ms an image. Each row is a true class, each column what the network said; the stronger the colour, the larger the share of the row.`));
  const rows = e.confusion.map((row, i) => {
    const total = Math.max(1, row.reduce((sum, count) => sum + count, 0));
    return element('tr', {}, element('th', {scope: 'row', title: names[i]}, element('span', {}, names[i])),
      ...row.map((count, j) => {
        const share = count / total;
        const place = {class: i === j ? 'hit' : 'miss', style: `--share:${share.toFixed(3)}`, title: `${names[i]} taken for ${names[j]}: ${count}`};
        if (share > 0.55) place.class += ' strong';
        return element('td', place, count === 0 ? '·' : String(count));
      }), element('td', {}, percent(e.per_class[i].accuracy)));
  });
  const head = element('tr', {}, element('td', {}), ...names.map((name) => element('th', {scope: 'col', class: 'tall', title: name}, element('span', {}, name))),
    element('th', {scope: 'col', class: 'tall'}, element('span', {}, 'right')));
  box.append(element('div', {class: 'wide', tabindex: '0', role: 'group', 'aria-label': 'confusion matrix'},
    element('table', {class: 'confusion'}, element('thead', {}, head), element('tbody', {}, ...rows))));
  const mistakes = e.confusion.flatMap((row, i) => row.map((count, j) => ({i, j, count}))).filter(({i, j, count}) => i !== j && count > 0)
    .sort((a, b) => b.count - a.count).slice(0, 5);
  if (mistakes.length) {
    box.append(element('h3', {}, 'The commonest mistakes'),
      element('ol', {}, ...mistakes.map(({i, j, count}) => element('li', {}, named(names[i]), ' taken for ', named(names[j]), `: ${plural(count, 'time')}`))));
  }
}

// ---- Images, and how to repeat the run

function dataSection(box) {
  const d = data.data, list = (values) => values.map((value) => value.toFixed(4)).join(', ');
  box.append(sentence(named(d.name), `: ${d.channels === 1 ? 'grey' : d.channels === 3 ? 'colour' : `${d.channels}-channel`} images of ${d.height} × ${d.width} pixels, ` +
    `normalised by mean ${list(d.mean)} and deviation ${list(d.deviation)}${d.measured ? ' (measured on the training part)' : ''}.`));
  box.append(table('counts', ['class', 'training', 'test'], d.classes.map((name, i) => [name, whole(d.train_counts[i]), whole(d.test_counts[i])]), 'images by class'));
  for (const [key, label] of [['held_out', 'Images held out for testing'], ['left_out', 'Images left out because they could not be read']]) {
    if (d[key]?.length) box.append(unfolding(`${label} (${whole(d[key].length)})`, () => element('pre', {}, d[key].join('\n'))));
  }
}
const quoted = (word) => (/^[\w./:=,+@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
function repeatSection(box) {
  const environment = data.environment ?? {};
  const commands = (environment.command_lines ?? []).map((words) => ['ptnas', ...words].map(quoted).join(' '));
  if (commands.length) {
    box.append(paragraph(commands.length === 1 ? 'The command that made this run:' : 'The commands that made this run, in order:'),
      element('pre', {class: 'commands'}, commands.join('\n')));
  }
  box.append(sentence('The options below, saved as config.toml, say the same: ', element('code', {}, 'ptnas run --config config.toml --out ANOTHER'),
    '. The same options, seed, number of threads and vector instructions give the same numbers to the last bit.'));
  const seconds = ['search', 'select', 'tune', 'train'].map((phase) => [phase, lines(phase).reduce((sum, line) => sum + (line.seconds ?? 0), 0)])
    .filter(([, total]) => total > 0);
  if (seconds.length) {
    const names = {search: 'search', select: 'scoring', tune: 'tuning', train: 'retraining'};
    box.append(paragraph(`Time: ${seconds.map(([phase, total]) => `${names[phase]} ${duration(total)}`).join(', ')}.`));
  }
  if (data.genotype?.text) box.append(element('h3', {}, `The architecture as ${oneInput ? 'NAS-Bench-201' : 'DARTS'} writes it`), element('pre', {}, data.genotype.text));
  if (data.toml) box.append(element('details', {}, element('summary', {}, 'Every option (config.toml)'), element('pre', {id: 'configuration'}, data.toml)));
  const facts = Object.entries(environment).filter(([key]) => !['format', 'version', 'command_lines'].includes(key));
  if (facts.length) {
    box.append(element('details', {}, element('summary', {}, 'Machine and libraries'),
      table('facts', ['', ''], facts.map(([key, value]) => [key.replaceAll('_', ' '), typeof value === 'string' ? value : JSON.stringify(value)]), 'machine and libraries')));
  }
}
