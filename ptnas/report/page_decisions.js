// The decisions: what alpha would have chosen beside what the supernet misses when it is taken away.

const byLoss = selection?.criterion === 'loss';
const operationEvents = events.filter((event) => event.kind === 'operation');
const measuredEvents = operationEvents.filter((event) => event.scores.length > 0);
const topologyEvents = events.filter((event) => event.kind === 'topology');
const chooser = {perturbation: 'Perturbation', magnitude: 'Alpha', 'magnitude-progressive': 'Alpha', discretization: 'Discretization',
  random: 'The random draw'}[selection?.selection] ?? 'The selection';
const byAlpha = ['magnitude', 'magnitude-progressive'].includes(selection?.selection);
// Operations were scored by themselves, made the edge's only one and tuned, instead of by their absence.
const alone = selection?.selection === 'discretization';

// How much worse the supernet is without a candidate (or better with an operation alone), in the criterion's unit: the method's measure
// of its worth.
const harm = (event, score) => {
  const baseline = score.baseline ?? event.baseline; // its own where it was dropped before all images were seen
  const worse = byLoss ? score.loss - baseline.loss : baseline.accuracy - score.accuracy;
  return alone && event.kind === 'operation' ? -worse : worse;
};
const harmText = (value) => {
  const text = byLoss ? value.toFixed(4) : (100 * value).toFixed(2);
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−');
};
const unit = byLoss ? '' : ' points';

// ---- At a glance

function summary() {
  const compared = operationEvents.filter((event) => event.alpha_choice);
  if (!compared.length || byAlpha) return null;
  const count = compared.filter(differs).length;
  const banner = element('div', {class: 'banner', id: 'banner'},
    element('strong', {}, `${chooser} disagrees with alpha on ${count} of ${plural(compared.length, 'edge')}.`));
  for (const text of [shift(compared), price(), agreement(), noise()]) if (text) banner.append(' ', text);
  return banner;
}
// The operation whose share changes most.
function shift(compared) {
  const won = (key, name) => compared.filter((event) => event[key] === name).length;
  const changes = operations.map((name) => ({name, alpha: won('alpha_choice', name), chosen: won('chosen', name)}));
  changes.sort((a, b) => Math.abs(b.chosen - b.alpha) - Math.abs(a.chosen - a.alpha));
  const [most] = changes;
  if (!most || most.alpha === most.chosen) return '';
  return `Alpha would give ${most.name} ${plural(most.alpha, 'edge')}; here it gets ${whole(most.chosen)}.`;
}
function price() {
  const compared = measuredEvents.filter(differs);
  if (!compared.length || alone) return '';
  const mean = (key) => compared.reduce((sum, event) =>
    sum + harm(event, event.scores.find((score) => score.operation === event[key]) ?? event.scores[0]), 0) / compared.length;
  const what = byLoss ? 'raises the loss by' : 'costs the supernet';
  return `Where they disagree, taking away alpha’s favourite ${what} ${harmText(mean('alpha_choice'))}${unit} on average; ` +
    `taking away the chosen operation, ${harmText(mean('chosen'))}${unit}.`;
}
// Of all pairs of operations on one edge, how many alpha and the measurement put in the same order.
function agreement() {
  let same = 0, pairs = 0;
  for (const event of measuredEvents) {
    event.scores.forEach((a, i) => event.scores.slice(i + 1).forEach((b) => {
      const product = (a.alpha - b.alpha) * (harm(event, a) - harm(event, b));
      pairs += product !== 0;
      same += product > 0;
    }));
  }
  return pairs ? `Of all pairs of operations on an edge, the two put ${percent(same / pairs, 0)} in the same order; chance gives 50 %.` : '';
}

// How many decisions other images might have made otherwise, and what was saved where candidates were dropped early.
function noise() {
  const tested = events.filter((event) => event.within_noise != null);
  if (!tested.length) return '';
  const within = tested.filter((event) => event.within_noise).length;
  const sum = (key) => tested.reduce((total, event) => total + (event.evaluations?.[key] ?? 0), 0);
  const made = sum('made'), saved = sum('saved');
  return `${whole(within)} of ${plural(tested.length, 'measured decision')} ${within === 1 ? 'is' : 'are'} within noise: on other images they ` +
    `might come out otherwise.${made ? ` Dropping candidates early saved ${percent(saved / (made + saved), 0)} of the evaluations.` : ''}`;
}

function glyph(alpha, chosen) {
  const kind = alpha && chosen ? 'both' : alpha ? 'ring' : chosen ? 'dot' : '';
  const text = {both: 'chosen, and alpha’s choice', ring: 'alpha’s choice', dot: 'chosen'}[kind];
  if (!kind) return element('span', {class: 'glyph candidate'});
  return element('span', {class: `glyph ${kind}`, role: 'img', 'aria-label': text, title: text});
}
// One row an edge, one column an operation: a ring where alpha points, a dot where the choice fell.
function decisionMap(cell) {
  const own = operationEvents.filter((event) => event.cell === cell).sort((a, b) => a.edge - b.edge);
  const topology = new Map(topologyEvents.filter((event) => event.cell === cell).map((event) => [event.node, event]));
  const heading = (text) => element('th', {scope: 'col', class: 'tall'}, element('span', {}, text));
  const head = element('tr', {}, element('th', {scope: 'col'}, 'edge'), ...operations.map(heading), heading('edge kept'));
  const rows = own.map((event) => {
    const candidates = selection.candidates[cell][event.edge] ?? [];
    const link = element('a', {href: `#decision-${event.event}`}, edgeName(event.from, event.node));
    const node = topology.get(event.node);
    return element('tr', {class: differs(event) ? 'differs' : null}, element('th', {scope: 'row'}, link),
      ...operations.map((name) => element('td', {},
        candidates.includes(name) ? glyph(event.alpha_choice === name, event.chosen === name) : '')),
      element('td', {class: 'kept'}, node ? glyph(node.alpha_choice.includes(event.edge), node.kept.includes(event.edge)) : ''));
  });
  return element('div', {class: 'wide', tabindex: '0', role: 'group', 'aria-label': `decisions of the ${cell} cell`},
    element('table', {class: 'map'}, element('caption', {}, cellName(cell)),
      element('thead', {}, head), element('tbody', {}, ...rows)));
}
function glance(box) {
  if (!operationEvents.length) return;
  const banner = summary();
  if (banner) box.append(banner);
  const entry = (alpha, chosen, text) => element('span', {}, glyph(alpha, chosen), ` ${text}`);
  box.append(element('p', {class: 'key'}, entry(true, false, 'alpha’s choice'), entry(false, true, `${chooser.toLowerCase()}’s choice`),
    entry(true, true, 'the same')), element('div', {class: 'pair maps'}, ...cellTypes.map(decisionMap)));
}

// ---- Every decision

// Alpha as it stood when an event was decided: that of the last tuning before it.
function alphaBefore(event) {
  const tuned = lines('tune').filter((line) => line.event < event.event && line.alpha);
  return (tuned.length ? tuned[tuned.length - 1].alpha : selection.alpha)[event.cell];
}
function alphaStrength(event, edge) {
  const names = selection.candidates[event.cell][edge] ?? [];
  const weights = (alphaBefore(event)[edge] ?? []).filter((weight, index) => weight != null && names[index] !== 'none');
  return weights.length ? Math.max(...weights) : null;
}

function bar(share, kind) {
  return element('span', {class: 'track'}, element('i', {class: kind, style: `width:${(100 * share).toFixed(1)}%`}));
}
// Rows {name, alpha, harm, alphaChosen, chosen}: alpha to the left, what its absence costs to the right.
function bars(rows, leftTitle, rightTitle) {
  const most = Math.max(...rows.map((row) => Math.abs(row.harm ?? 0)), 1e-12);
  const mostAlpha = Math.max(...rows.map((row) => row.alpha ?? 0), 1e-12);
  const grid = element('div', {class: 'bars', role: 'table'}, element('div', {role: 'row', class: 'row head'},
    element('span', {role: 'columnheader', class: 'left'}, leftTitle), element('span', {role: 'columnheader', class: 'name'}, ''),
    element('span', {role: 'columnheader', class: 'right'}, rightTitle)));
  for (const row of rows) {
    const left = element('span', {role: 'cell', class: row.alphaChosen ? 'left won' : 'left'});
    if (row.alphaChosen) left.append(glyph(true, false));
    if (row.alpha != null) left.append(element('small', {}, row.alpha.toFixed(3)), bar(row.alpha / mostAlpha, ''));
    const right = element('span', {role: 'cell', class: row.chosen ? 'right won' : 'right'});
    if (row.harm != null) {
      right.append(bar(Math.abs(row.harm) / most, row.harm < 0 ? 'negative' : ''),
        element('small', {title: row.detail || null}, harmText(row.harm)));
    }
    if (row.chosen) right.append(glyph(false, true));
    grid.append(element('div', {role: 'row', class: 'row'}, left, element('span', {role: 'rowheader', class: 'name'}, row.name), right));
  }
  return grid;
}

function card(event, title, verdict, note, ...body) {
  const kinds = ['decision', differs(event) ? 'differs' : '', event.within_noise ? 'noise' : ''].filter(Boolean).join(' ');
  return element('article', {class: kinds, id: `decision-${event.event}`, 'data-cell': event.cell,
    'data-kind': event.kind, 'data-order': event.event, 'data-margin': event.margin ?? '', 'data-edge': event.edge ?? 1000 + event.node,
    'data-noise': event.within_noise ?? null},
  element('header', {}, element('h4', {}, title), element('span', {class: 'verdict'}, event.within_noise ? `${verdict}; within noise` : verdict)), ...body, paragraph(note, 'note'));
}
function measuredNote(event) {
  const parts = [`Decision ${event.event + 1} of ${events.length}.`];
  if (event.margin != null) {
    const count = event.images && !byLoss && !event.looks ? Math.round(event.margin * event.images) : 0;
    parts.push(event.margin === 0 ? `A tie in ${selection.criterion}, broken by rule.`
      : `Margin over the next: ${harmText(event.margin)}${unit}${count ? ` (${plural(count, 'image')})` : ''}.`);
  }
  if (event.baseline) {
    parts.push(`With everything in place: accuracy ${percent(event.baseline.accuracy, 2)}, loss ${event.baseline.loss.toFixed(4)}` +
      (event.images ? `, on ${plural(event.images, 'image')}.` : '.'));
  }
  if (event.within_noise != null) parts.push(noiseNote(event));
  if (event.evaluations) {
    parts.push(`Candidates that could no longer win were dropped: ${whole(event.evaluations.made)} evaluations of an image instead of ` +
      `${whole(event.evaluations.made + event.evaluations.saved)}.`);
  }
  return parts.join(' ');
}
function noiseNote(event) {
  const least = Math.max(...(event.tests ?? []).map((test) => test.p));
  if (!Number.isFinite(least)) return '';
  const shown = least < 0.001 ? 'below 0.001' : least.toFixed(3);
  return event.within_noise ? `Within noise (p ${shown}): on other images it might come out otherwise.` : `Beyond noise (p ${shown}).`;
}
// A score with its standard error, for a pointer that rests on it.
function scoreDetail(score) {
  if (score.accuracy_error == null) return '';
  return `without it: accuracy ${percent(score.accuracy, 2)} ± ${percent(score.accuracy_error, 2)}, loss ${score.loss.toFixed(4)} ± ` +
    `${score.loss_error.toFixed(4)}${score.images ? `; dropped after ${plural(score.images, 'image')}` : ''}`;
}
const rightTitle = byLoss ? 'without it, loss rises by' : 'without it, accuracy falls by (points)';
const operationTitle = !alone ? rightTitle : byLoss ? 'alone and tuned, loss falls by' : 'alone and tuned, accuracy rises by (points)';

function operationCard(event) {
  const candidates = selection.candidates[event.cell][event.edge] ?? [];
  const measured = event.scores.length > 0;
  const scores = measured ? event.scores
    : candidates.map((name, i) => ({operation: name, alpha: selection.alpha[event.cell][event.edge]?.[i]}));
  const rows = scores.map((score) => ({name: score.operation, alpha: score.alpha, harm: measured ? harm(event, score) : null,
    detail: measured ? scoreDetail(score) : '', chosen: score.operation === event.chosen, alphaChosen: score.operation === event.alpha_choice}));
  const verdict = differs(event) ? `${event.chosen}, not alpha’s ${event.alpha_choice}` : `${event.chosen}, as alpha`;
  const title = `${cellName(event.cell)}, edge ${event.edge}: ${edgeName(event.from, event.node)}`;
  return card(event, title, verdict, measured ? measuredNote(event) : 'Nothing was measured.',
    bars(rows, 'alpha (softmax)', measured ? operationTitle : ''));
}
function topologyCard(event) {
  const rounds = event.rounds.map((round, index) => element('div', {},
    ...(event.rounds.length > 1 ? [paragraph(`Round ${index + 1}: the edge missed least goes`, 'note')] : []),
    bars(round.map((score) => ({name: `${edgeName(score.from, event.node)} ${score.operation}`, alpha: alphaStrength(event, score.edge),
      harm: harm(event, score), detail: scoreDetail(score), chosen: event.kept.includes(score.edge), alphaChosen: event.alpha_choice.includes(score.edge)})),
    'largest alpha of the edge', rightTitle)));
  const names = (edges) => edges.map((edge) => stateName(edgeEnds(edge).from)).join(' and ');
  const verdict = differs(event) ? `from ${names(event.kept)}, not alpha’s ${names(event.alpha_choice)}` : `from ${names(event.kept)}, as alpha`;
  return card(event, `${cellName(event.cell)}, node ${event.node}: which two inputs`, verdict,
    rounds.length ? measuredNote(event) : 'Nothing was measured.', ...rounds);
}

function decisionList(box) {
  const list = element('div', {class: 'decisions', id: 'decisions'},
    ...events.map((event) => (event.kind === 'operation' ? operationCard(event) : topologyCard(event))));
  const cards = [...list.children];
  const show = choice('Show', [['all', 'all decisions'], ['differs', 'where alpha disagrees'], ['agrees', 'where alpha agrees'],
    ...(events.some((event) => event.within_noise != null) ? [['noise', 'within noise'], ['beyond', 'beyond noise']] : []),
    ...(oneInput ? [] : [['normal', 'normal cell'], ['reduction', 'reduction cell'], ['topology', 'which edges are kept']])]);
  const sort = choice('Sort', [['order', 'in order of decision'], ['edge', 'by edge'], ['margin', 'by margin, largest first']]);
  const count = element('span', {role: 'status', class: 'soft'});
  const wanted = (node, value) => value === 'all' || node.dataset.cell === value || node.dataset.kind === value ||
    (value === 'differs' && node.classList.contains('differs')) || (value === 'agrees' && !node.classList.contains('differs')) ||
    (value === 'noise' && node.classList.contains('noise')) || (value === 'beyond' && node.dataset.noise === 'false');
  const keys = {order: (node) => Number(node.dataset.order), edge: (node) => Number(node.dataset.edge), margin: (node) => -Number(node.dataset.margin)};
  const update = () => {
    for (const node of cards) node.hidden = !wanted(node, show.select.value);
    list.append(...cards.sort((a, b) => keys[sort.select.value](a) - keys[sort.select.value](b)));
    count.textContent = `${cards.filter((node) => !node.hidden).length} of ${cards.length}`;
  };
  for (const {select} of [show, sort]) select.addEventListener('change', update);
  // A link to a card that the filter hides shows all of them.
  window.addEventListener('hashchange', () => {
    if (!document.getElementById(location.hash.slice(1))?.hidden) return;
    show.select.value = 'all';
    update();
    document.getElementById(location.hash.slice(1)).scrollIntoView();
  }, {signal});
  update();
  box.append(element('div', {class: 'controls'}, show.node, sort.node, count), list);
}

// ---- The section

const explanations = {
  perturbation: [
    'While the supernet trains, every edge carries all candidate operations at once, added up with weights: alpha. The usual rule (DARTS) keeps ' +
    'the operation with the largest alpha. But alpha only says which mixture was easiest to train; a skip connection gets a large alpha because ' +
    'it helps its neighbours to learn, not because the network needs it.',
    'So this run asks the network instead. On one edge after another, each operation is masked, that is, taken out with all others left in ' +
    'place, and the supernet is measured on validation images. The operation whose absence hurts most is kept, the supernet is tuned for a ' +
    'while, and the next edge follows. At the end the same question decides which two edges each node keeps.'],
  magnitude: ['This architecture was chosen by alpha alone, as DARTS does it: on each edge the operation with the largest weight, for each node ' +
    'the two edges with the largest ones. Nothing was measured, so this is the rule that a selection by perturbation is compared with.'],
  'magnitude-progressive': ['This architecture was chosen by alpha, but one edge after another, with the supernet tuned in between as in a ' +
    'selection by perturbation. It tells how much of that is due to the tuning, and how much to the question that is asked.'],
  discretization: ['This run measured what perturbation stands in for. On one edge after another, each operation in turn was made the only ' +
    'one, and the supernet was tuned until it had converged; the operation with the best validation accuracy was kept. In the same way it ' +
    'was decided at the end which two edges each node keeps.'],
  sgas: ['The supernet of this run shrank while it was trained (SGAS). Every few epochs one edge of each cell was decided: the one whose alpha ' +
    'was surest of itself. Once a node had two inputs, its others went.',
    byAlpha ? 'The operation of such an edge is the one with the largest alpha; nothing was measured.'
      : 'The operation of such an edge is the one whose absence hurt most: each was masked in turn, and the supernet measured on validation images.'],
  random: ['This architecture was drawn at random from the space: the control. A search that does not beat it has found nothing. What alpha would ' +
    'have chosen stands beside each draw.'],
};

function choicesChart(parent) {
  const won = (key) => operations.map((name) => operationEvents.filter((event) => event[key] === name).length);
  addChart(parent, 'choices', 'bar', [{label: 'by alpha', tone: 'alpha', data: won('alpha_choice')},
    {label: `by ${selection.selection}`, tone: 'masking', data: won('chosen')}],
  {label: 'Edges that each operation wins', labels: operations, x: 'operation', y: 'edges',
    caption: `How many edges each operation wins, by alpha and by ${selection.selection}.`});
}
function strengthChart(parent) {
  const sets = operations.map((name, shape) => series(name, name, measuredEvents.flatMap((event) => event.scores
    .filter((score) => score.operation === name).map((score) => ({x: score.alpha, y: harm(event, score)}))), {shape}));
  const ticks = byLoss ? {} : {callback: (value) => (100 * value).toFixed(1)};
  const y = byLoss ? ['rise of the loss', 'fall of the loss'] : ['fall of accuracy, points', 'rise of accuracy, points'];
  const made = addChart(parent, 'strength', 'scatter', sets.filter((set) => set.data.length), {
    label: `Alpha against what the supernet ${alone ? 'gains with the operation alone' : 'loses without the operation'}`,
    x: 'alpha (softmax) at the decision', y: y[alone ? 1 : 0],
    caption: 'Every operation of every edge. If alpha measured what an operation is worth, the points would rise to the right.'});
  made.config.options.scales.y.ticks = ticks;
}
function decisionsSection(box) {
  const explained = data.configuration?.method === 'sgas' && selection.selection !== 'random' ? 'sgas' : selection.selection;
  for (const text of explanations[explained] ?? []) box.append(paragraph(text));
  if (!events.length) {
    box.append(paragraph('No decision has been made yet.'));
    return;
  }
  if (!byAlpha) {
    const grid = element('div', {class: 'pair'});
    box.append(grid);
    choicesChart(grid);
    if (measuredEvents.length) strengthChart(grid);
  }
  box.append(element('h3', {}, 'Every decision'));
  if (measuredEvents.length) {
    box.append(paragraph((alone ? 'Left, alpha; right, what the supernet gains where the operation is the edge’s only one and the rest is tuned. '
      : 'Left, alpha; right, what the supernet loses without the operation. ') + 'The ring marks alpha’s choice, the dot what was ' +
      'chosen. Bars are scaled within each card, the numbers are not. ' +
      (alone ? 'A dashed bar: the supernet does worse.' : 'A dashed bar: the supernet does better without it.'), 'note'));
  }
  decisionList(box);
}

// What each decision costs and tuning brings back.
function trajectorySection(box) {
  const steps = data.metrics.filter((line) => line.phase === 'select' || line.phase === 'tune');
  box.append(paragraph('Each decision takes operations out of the supernet, which mostly costs it some accuracy; the epochs of tuning after it let the rest ' +
    'adapt before the next question is asked. A fall that tuning does not make good would mean that something needed was lost.'));
  const grid = element('div', {class: 'pair'});
  box.append(grid);
  for (const [quantity, title] of [['accuracy', 'Accuracy'], ['loss', 'Loss']]) {
    const points = (phase, key) => steps.map((line, index) => ({line, index})).filter(({line}) => line.phase === phase && line[key] != null)
      .map(({line, index}) => ({x: index, y: line[key]}));
    const key = `valid_${quantity}`;
    const sets = [series('validation, after a decision', 'masking', points('select', key), {shape: 3, showLine: false, pointRadius: 4}),
      series('validation, after tuning', 'alpha', points('tune', key)),
      series('training, while tuning', 'third', points('tune', `train_${quantity}`), {dash: [5, 4], shape: 1})];
    addChart(grid, `trajectory-${quantity}`, 'line', sets.filter((set) => set.data.length), {
      label: `${title} of the supernet through selection and tuning`, x: 'decisions and epochs of tuning, in order', y: quantity,
      tooltip: {callbacks: {title: (items) => (items.length ? stepName(steps[items[0].parsed.x]) : '')}}});
  }
}
function stepName(line) {
  if (!line) return '';
  if (line.phase === 'tune') return `tuning epoch ${line.epoch}`;
  const place = line.kind === 'topology' ? `node ${line.node}` : `edge ${line.edge}`;
  return `${line.cell} cell, ${place}: ${Array.isArray(line.chosen) ? `keeps edges ${line.chosen.join(', ')}` : line.chosen}`;
}
