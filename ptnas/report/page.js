'use strict';
// Draws the page from the data inside it. Texts become text nodes, never markup: class and file names come from strangers.
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const page = document.getElementById('page');
  const errors = [];
  window.addEventListener('error', (event) => errors.push(String(event.message)));

  // ---- Small helpers

  function element(name, attributes = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    for (const child of children) node.append(child);
    return node;
  }
  const percent = (value, digits = 1) => (value == null ? '–' : (100 * value).toFixed(digits) + ' %');
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  function section(id, title, ...children) {
    const node = element('section', {id}, element('h2', {}, title), ...children);
    page.append(node);
    return node;
  }
  const paragraph = (text, kind) => element('p', kind ? {class: kind} : {}, text);

  // Okabe and Ito's colours: told apart by colour-blind eyes, on light and dark.
  const palette = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8c6d31', '#7f7f7f', '#a05fd0'];
  const operations = [...new Set(Object.values(data.selection?.candidates ?? {}).flat(2))];
  const colourOf = (operation) => palette[Math.max(0, operations.indexOf(operation)) % palette.length];

  // ---- Charts

  const charts = [];
  function recolour() {
    Chart.defaults.color = style('--soft');
    Chart.defaults.borderColor = style('--line');
    for (const chart of charts) {
      for (const scale of Object.values(chart.options.scales ?? {})) {
        scale.ticks = {...scale.ticks, color: style('--soft')};
        scale.grid = {...scale.grid, color: style('--line')};
        if (scale.title) scale.title.color = style('--soft');
      }
      if (chart.options.plugins?.legend?.labels) chart.options.plugins.legend.labels.color = style('--ink');
      chart.update('none');
    }
  }
  function figure(id, type, label, datasets, {x = 'epoch', y = '', caption = '', ...more} = {}) {
    const canvas = element('canvas', {role: 'img', 'aria-label': label});
    const node = element('figure', {}, element('div', {class: 'chart'}, canvas), element('figcaption', {}, caption || label));
    const scales = {
      x: {type: type === 'bar' ? 'category' : 'linear', title: {display: true, text: x}, ticks: {}, grid: {}},
      y: {title: {display: y !== '', text: y}, ticks: {}, grid: {}},
    };
    const draw = () => {
      const chart = new Chart(canvas, {
        type,
        data: {labels: more.labels, datasets},
        options: {
          animation: false, responsive: true, maintainAspectRatio: false, scales,
          elements: {point: {radius: type === 'scatter' ? 4 : 2}, line: {borderWidth: 2}},
          plugins: {legend: {position: 'bottom', labels: {boxWidth: 14, usePointStyle: type !== 'bar'}}, tooltip: more.tooltip ?? {}},
        },
      });
      chart.name = id;
      charts.push(chart);
      return chart;
    };
    return {node, draw};
  }
  const pending = [];
  function place(parent, made) {
    parent.append(made.node);
    pending.push(made);
    return made;
  }
  const series = (label, lines, key, colour, dash) => ({
    label, borderColor: colour, backgroundColor: colour, borderDash: dash ?? [],
    data: lines.filter((line) => line[key] != null).map((line) => ({x: line.epoch, y: line[key]})),
  });
  const lines = (phase) => data.metrics.filter((line) => line.phase === phase);

  function curves(parent, prefix, phase, keys) {
    const grid = element('div', {class: 'charts'});
    parent.append(grid);
    for (const [quantity, title] of [['loss', 'Loss (cross-entropy)'], ['accuracy', 'Accuracy']]) {
      const sets = keys.map(([key, label, colour, dash]) => series(label, lines(phase), `${key}_${quantity}`, colour, dash));
      place(grid, figure(`${prefix}-${quantity}`, 'line', `${title} by epoch`, sets.filter((set) => set.data.length), {y: quantity}));
    }
  }

  // ---- Headline

  function headline() {
    const header = document.getElementById('headline');
    const tiles = element('div', {class: 'tiles'});
    const tile = (value, label) => tiles.append(element('div', {class: 'tile'}, element('b', {}, value), element('span', {}, label)));
    const e = data.evaluation;
    if (e) {
      tile(percent(e.top1), `test accuracy, ${e.images.toLocaleString('en')} images, last epoch`);
      tile(e.parameters.toLocaleString('en'), 'parameters');
      tile((e.multiply_adds / 1e6).toFixed(1) + ' M', 'multiply-adds an image');
    }
    if (data.data) {
      tile(data.data.name, `${data.data.classes.length} classes, ${data.data.height}x${data.data.width}, ` +
        `${data.data.train.toLocaleString('en')} + ${data.data.test.toLocaleString('en')} images`);
    }
    if (data.selection) tile(data.selection.selection, `selection, space ${data.selection.space}`);
    if (data.parent) header.append(paragraph(`The supernet is that of run ${data.parent}.`, 'soft'));
    header.append(tiles);
    const disagree = disagreement();
    if (disagree) header.append(element('p', {class: 'banner', id: 'banner'}, disagree));
  }
  const measured = () => (data.selection?.events ?? []).filter((event) => event.kind === 'operation' && event.scores.length > 0);
  function disagreement() {
    const events = measured();
    if (events.length === 0) return '';
    const differ = events.filter((event) => event.chosen !== event.alpha_choice).length;
    return `On ${differ} of ${events.length} edges, the operation that the supernet misses most is not the one with the largest alpha.`;
  }

  // ---- Decisions

  const stateName = (state) => (state === 0 ? 'c_{k-2}' : state === 1 ? 'c_{k-1}' : `node ${state - 2}`);
  const byLoss = () => data.selection.criterion === 'loss';
  // How much the supernet misses a candidate, in the criterion's unit.
  const harm = (event, score) =>
    byLoss() ? score.loss - event.baseline.loss : event.baseline.accuracy - score.accuracy;
  const harmText = (value) => (byLoss() ? value.toFixed(4) : (100 * value).toFixed(2) + ' pts');

  function bars(rows, leftTitle, rightTitle) {
    const grid = element('div', {class: 'bars'},
      element('div', {class: 'left head'}, leftTitle), element('div', {class: 'name head'}, ''), element('div', {class: 'right head'}, rightTitle));
    const most = Math.max(...rows.map((row) => Math.abs(row.harm)), 1e-12);
    const mostAlpha = Math.max(...rows.map((row) => row.alpha ?? 0), 1e-12);
    for (const row of rows) {
      const left = element('div', {class: 'left'});
      if (row.alpha != null) {
        left.append(element('small', row.alphaChosen ? {class: 'chosen'} : {}, row.alpha.toFixed(3)),
          element('i', {style: `width:${(62 * row.alpha / mostAlpha).toFixed(1)}%`}));
      } else if (row.alphaChosen) {
        left.append(element('small', {class: 'chosen'}, 'alpha keeps it'));
      }
      const right = element('div', {class: 'right'},
        element('i', {class: row.harm < 0 ? 'negative' : '', style: `width:${(62 * Math.abs(row.harm) / most).toFixed(1)}%`}),
        element('small', row.chosen ? {class: 'chosen'} : {}, harmText(row.harm)));
      grid.append(left, element('div', {class: 'name'}, row.name), right);
    }
    return grid;
  }
  function decision(title, differs, verdict, body, note) {
    return element('article', {class: differs ? 'decision differs' : 'decision'},
      element('header', {}, element('strong', {}, title), element('span', {class: 'verdict'}, verdict)), body, paragraph(note, 'soft'));
  }
  function operationDecision(event) {
    const differs = event.chosen !== event.alpha_choice;
    const rows = event.scores.map((score) => ({
      name: score.operation, alpha: score.alpha, harm: harm(event, score),
      chosen: score.operation === event.chosen, alphaChosen: score.operation === event.alpha_choice,
    }));
    return decision(`${event.cell} edge ${event.edge}: ${stateName(event.from)} → node ${event.node}`, differs,
      differs ? `${event.chosen}, not alpha’s ${event.alpha_choice}` : `${event.chosen}, as alpha`,
      bars(rows, 'alpha (softmax)', byLoss() ? 'loss rises by' : 'accuracy falls by'),
      `decision ${event.event + 1}, margin ${harmText(event.margin ?? 0)}, ${event.images.toLocaleString('en')} images, ` +
      `supernet ${byLoss() ? 'loss ' + event.baseline.loss.toFixed(4) : percent(event.baseline.accuracy, 2)}`);
  }
  function topologyDecision(event) {
    const differs = String(event.kept) !== String(event.alpha_choice);
    const box = element('div');
    event.rounds.forEach((round, index) => {
      if (event.rounds.length > 1) box.append(paragraph(`Round ${index + 1}`, 'soft'));
      box.append(bars(round.map((score) => ({
        name: `${score.edge}: ${stateName(score.from)} ${score.operation}`, alpha: null, harm: harm(event, score),
        chosen: event.kept.includes(score.edge), alphaChosen: event.alpha_choice.includes(score.edge),
      })), '', byLoss() ? 'without it loss rises by' : 'without it accuracy falls by'));
    });
    return decision(`${event.cell} node ${event.node}: which two inputs`, differs,
      `keeps edges ${event.kept.join(' and ')}` + (differs ? `, not alpha’s ${event.alpha_choice.join(' and ')}` : ', as alpha'), box,
      event.margin == null ? '' : `decision ${event.event + 1}, margin ${harmText(event.margin)}`);
  }

  function choicesChart(parent) {
    const events = measured();
    const count = (key) => operations.map((operation) => events.filter((event) => event[key] === operation).length);
    place(parent, figure('choices', 'bar', 'Edges that each operation wins', [
      {label: 'by alpha', data: count('alpha_choice'), backgroundColor: '#0072b2'},
      {label: 'by perturbation', data: count('chosen'), backgroundColor: '#d55e00'},
    ], {labels: operations, x: 'operation', y: 'edges', caption: 'Which operation wins how many edges, by alpha and by what the supernet misses.'}));
  }
  function strengthChart(parent) {
    const sets = operations.map((operation) => ({
      label: operation, backgroundColor: colourOf(operation), borderColor: colourOf(operation),
      data: measured().flatMap((event) => event.scores.filter((score) => score.operation === operation)
        .map((score) => ({x: score.alpha, y: byLoss() ? harm(event, score) : 100 * harm(event, score)}))),
    })).filter((set) => set.data.length);
    place(parent, figure('strength', 'scatter', 'Alpha against what the supernet loses without the operation', sets, {
      x: 'alpha (softmax) at the decision', y: byLoss() ? 'rise of the loss' : 'fall of accuracy, points',
      caption: 'Every score of every edge. If alpha measured an operation’s worth, the points would rise to the right.',
    }));
  }

  function selectionSection() {
    const selection = data.selection;
    if (!selection) return;
    const box = section('selection', 'Why these operations');
    if (measured().length === 0) {
      box.append(paragraph(selection.selection === 'magnitude'
        ? 'This architecture was chosen by alpha alone (magnitude): on each edge the operation of the largest weight. Nothing was measured.'
        : selection.selection === 'random' ? 'This architecture was drawn at random: it is the control that others are compared with.'
          : 'No decision has fallen yet.'));
      return;
    }
    box.append(paragraph('Every edge of the supernet carries all candidate operations at once, mixed by the weights alpha. DARTS keeps the ' +
      'operation of the largest alpha. But alpha says how the mixture is trained best, not what the network needs: an operation can have a ' +
      'large weight because it is easy to optimise. So each operation is taken out in turn, all others staying, and the supernet is ' +
      'measured on validation images. The one it misses most is kept.'));
    const grid = element('div', {class: 'charts'});
    box.append(grid);
    choicesChart(grid);
    strengthChart(grid);
    box.append(element('h3', {}, 'Each decision'),
      paragraph('Left: alpha. Right: what the supernet loses without the operation. Underlined: what each would choose. A dashed bar means the supernet does better without it.', 'soft'));
    const filter = element('select', {'aria-label': 'which decisions to show'});
    for (const [value, label] of [['all', 'all decisions'], ['differs', 'where alpha disagrees'], ['normal', 'normal cell'], ['reduction', 'reduction cell']]) {
      filter.append(element('option', {value}, label));
    }
    box.append(element('div', {class: 'controls'}, element('label', {}, 'Show ', filter)));
    const list = element('div', {class: 'decisions', id: 'decisions'});
    for (const event of selection.events) {
      const card = event.kind === 'operation' && event.scores.length ? operationDecision(event)
        : event.kind === 'topology' && event.rounds.length ? topologyDecision(event) : null;
      if (!card) continue;
      card.dataset.cell = event.cell;
      list.append(card);
    }
    filter.addEventListener('change', () => {
      for (const card of list.children) {
        const wanted = filter.value === 'all' || (filter.value === 'differs' ? card.classList.contains('differs') : card.dataset.cell === filter.value);
        card.hidden = !wanted;
      }
    });
    box.append(list);
  }

  function trajectory() {
    const steps = data.metrics.filter((line) => line.phase === 'select' || line.phase === 'tune');
    if (steps.length === 0) return;
    const box = section('trajectory', 'The supernet through selection', paragraph('Each decision costs the supernet some accuracy; tuning brings it back before the next one is measured.'));
    const points = (phase) => steps.map((line, index) => ({x: index, y: line.valid_accuracy, phase: line.phase})).filter((point) => point.phase === phase).map(({x, y}) => ({x, y}));
    place(box, figure('trajectory', 'scatter', 'Validation accuracy of the supernet after each decision and each epoch of tuning', [
      {label: 'after a decision', data: points('select'), backgroundColor: '#d55e00', borderColor: '#d55e00'},
      {label: 'after an epoch of tuning', data: points('tune'), backgroundColor: '#0072b2', borderColor: '#0072b2', showLine: true},
    ], {x: 'decisions and epochs in order', y: 'validation accuracy'}));
  }

  // ---- Search

  function alphaSection(box) {
    const rows = data.metrics.filter((line) => line.alpha && line.phase === 'search');
    if (rows.length === 0) return;
    box.append(element('h3', {}, 'Alpha over time'),
      paragraph('Softmax weights of one edge’s operations after each epoch of the search.', 'soft'));
    const cell = element('select', {'aria-label': 'cell'}), edge = element('select', {'aria-label': 'edge'});
    for (const name of ['normal', 'reduction']) cell.append(element('option', {value: name}, `${name} cell`));
    rows[0].alpha.normal.forEach((_, index) => edge.append(element('option', {value: index}, `edge ${index}`)));
    box.append(element('div', {class: 'controls'}, cell, edge));
    const names = (c, e) => data.selection?.candidates?.[c]?.[e] ?? rows[0].alpha[c][e].map((_, index) => `operation ${index}`);
    const sets = (c, e) => names(c, e).map((name, index) => ({
      label: name, borderColor: operations.length ? colourOf(name) : palette[index % palette.length],
      backgroundColor: operations.length ? colourOf(name) : palette[index % palette.length],
      data: rows.map((line) => ({x: line.epoch, y: line.alpha[c][e][index]})),
    }));
    const made = place(box, figure('alpha', 'line', 'Alpha by epoch', sets('normal', 0), {y: 'softmax weight'}));
    const draw = made.draw;
    made.draw = () => {
      const chart = draw();
      const show = () => {
        chart.data.datasets = sets(cell.value, Number(edge.value));
        chart.update('none');
      };
      cell.addEventListener('change', show);
      edge.addEventListener('change', show);
      chart.showEdge = (c, e) => { cell.value = c; edge.value = e; show(); };
      return chart;
    };
  }
  function searchSection() {
    if (lines('search').length === 0) return;
    const box = section('search', 'The search', paragraph('The supernet in training: weights on one half of the training images, alpha on the other. Validation is that other half, not augmented.'));
    curves(box, 'search', 'search', [['train', 'training', '#0072b2'], ['valid', 'validation', '#d55e00', [5, 4]]]);
    alphaSection(box);
  }

  // ---- Retraining and test

  function trainSection() {
    if (lines('train').length === 0) return;
    const box = section('training', 'Retraining', paragraph('The chosen network, trained from scratch on the whole training part. The test part is for reporting only; the reported number is the last epoch’s.'));
    curves(box, 'train', 'train', [['train', 'training (augmented)', '#0072b2'], ['valid', 'held out', '#009e73', [2, 3]], ['test', 'test', '#d55e00', [5, 4]]]);
  }
  function confusionSection() {
    const e = data.evaluation;
    if (!e) return;
    const names = e.per_class.map((row) => row.class);
    const box = section('confusion', 'What it takes for what', paragraph(`Rows: the true class. Columns: what the network said. Top-5 accuracy ${percent(e.top5, 2)}, ${e.milliseconds_per_image.toFixed(2)} ms an image.`));
    const head = element('tr', {}, element('th', {}, ''));
    names.forEach((name) => head.append(element('th', {scope: 'col'}, name)));
    head.append(element('th', {scope: 'col'}, 'right'));
    const table = element('table', {class: 'confusion'}, element('thead', {}, head));
    const body = element('tbody');
    e.confusion.forEach((row, index) => {
      const total = row.reduce((sum, count) => sum + count, 0) || 1;
      const line = element('tr', {}, element('th', {scope: 'row'}, names[index]));
      row.forEach((count) => line.append(element('td', {style: `background:rgba(var(--heat),${(0.75 * count / total).toFixed(3)})`}, String(count))));
      line.append(element('td', {}, percent(e.per_class[index].accuracy)));
      body.append(line);
    });
    table.append(body);
    box.append(element('div', {class: 'scroll-x'}, table));
  }
  function dataSection() {
    const d = data.data;
    if (!d) return;
    const table = element('table', {}, element('thead', {}, element('tr', {}, ...['class', 'training', 'test'].map((name) => element('th', {}, name)))));
    const body = element('tbody');
    d.classes.forEach((name, index) => body.append(element('tr', {}, element('td', {}, name), element('td', {}, String(d.train_counts[index])), element('td', {}, String(d.test_counts[index])))));
    table.append(body);
    const box = section('data', 'The images', paragraph(`${d.name}: ${d.channels === 1 ? 'grey' : 'colour'}, ${d.height}x${d.width} pixels; normalised by mean ${d.mean.map((v) => v.toFixed(4)).join(', ')} and deviation ${d.deviation.map((v) => v.toFixed(4)).join(', ')}${d.measured ? ' (measured on the training part)' : ''}.`),
      element('div', {class: 'scroll-x'}, table));
    for (const [key, label] of [['held_out', 'Images held out for testing'], ['left_out', 'Images left out because they could not be read']]) {
      if (d[key]?.length) box.append(element('details', {}, element('summary', {}, `${label} (${d[key].length})`), element('pre', {}, d[key].join('\n'))));
    }
  }
  function repeatSection() {
    const environment = data.environment;
    const box = section('repeat', 'How to repeat it');
    const commands = (environment?.command_lines ?? []).map((words) => 'ptnas ' + words.map((word) => (/^[\w./:=,+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' '));
    if (commands.length) box.append(element('pre', {}, commands.join('\n')));
    box.append(paragraph('The same configuration, seed, number of threads and vector instructions give the same bits.', 'soft'));
    if (data.genotype?.text) box.append(element('h3', {}, 'The architecture as DARTS writes it'), element('pre', {}, data.genotype.text));
    const configuration = Object.entries(data.configuration).map(([name, value]) => `${name} = ${value}`).join('\n');
    if (configuration) box.append(element('details', {}, element('summary', {}, 'Every option'), element('pre', {}, configuration)));
    if (environment) box.append(element('details', {}, element('summary', {}, 'Machine and libraries'), element('pre', {}, JSON.stringify(environment, null, 2))));
  }

  // ---- The test's door: what the charts hold, read back from them

  function selfcheck() {
    const read = (chart) => chart.data.datasets.map((set) => ({label: set.label, data: set.data}));
    const result = {charts: {}, alpha: {}, errors, requests: performance.getEntriesByType('resource').map((entry) => entry.name), decisions: document.querySelectorAll('.decision').length};
    for (const chart of charts) {
      result.charts[chart.name] = read(chart);
      if (!chart.showEdge) continue;
      const first = data.metrics.find((line) => line.alpha && line.phase === 'search').alpha;
      for (const cell of Object.keys(first)) {
        first[cell].forEach((_, edge) => {
          chart.showEdge(cell, edge);
          result.alpha[`${cell} ${edge}`] = read(chart);
        });
      }
    }
    document.body.append(element('pre', {id: 'selfcheck'}, JSON.stringify(result)));
  }

  headline();
  selectionSection();
  trajectory();
  searchSection();
  trainSection();
  confusionSection();
  dataSection();
  repeatSection();
  recolour();
  for (const made of pending) made.draw();
  recolour();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', recolour);
  window.addEventListener('beforeprint', recolour);
  window.addEventListener('afterprint', recolour);
  if (location.hash === '#selfcheck') selfcheck();
})();
