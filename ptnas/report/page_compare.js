// Runs side by side: results, what was set differently, curves, decisions. The drawings of the cells are in the page.

const {runs} = data;
const header = document.getElementById('headline');
const cellsDrawn = document.getElementById('cells');
const missing = '–';

// Whether two runs have unlike texts; one that has none is not compared.
const unlike = (texts) => new Set(texts.filter((text) => text !== missing)).size > 1;

// A table with a column a run. Rows are [heading, text of each run]; where runs differ the row says so.
function sideBySide(heading, rows, caption) {
  const box = table('compared', [heading, ...runs.map((run) => named(run.label))], rows, caption);
  box.querySelectorAll('tbody tr').forEach((row, index) => {
    const [, ...texts] = rows[index];
    if (!unlike(texts)) return;
    row.classList.add('differs');
    row.firstChild.prepend(element('span', {role: 'img', 'aria-label': 'differs'}, '≠ '));
    const first = texts.find((text) => text !== missing);
    texts.forEach((text, i) => row.children[i + 1].classList.toggle('unlike', text !== first && text !== missing));
  });
  return box;
}

// ---- Results

const secondsOf = (run) => run.metrics.reduce((sum, line) => sum + (line.seconds ?? 0), 0);
const lastOf = (run, phase, key) => run.metrics.filter((line) => line.phase === phase && line[key] != null).pop()?.[key];
const kinds = [
  ['finished', (run) => run.finished.join(', ') || 'nothing yet'],
  ['data', (run) => run.data?.name],
  ['training images', (run) => run.data && whole(run.data.train)],
  ['selection', (run) => run.selection?.selection],
  ['test accuracy', (run) => run.evaluation && percent(run.evaluation.top1, 2)],
  ['top-5', (run) => run.evaluation && percent(run.evaluation.top5, 2)],
  ['test loss', (run) => run.evaluation?.loss.toFixed(4)],
  ['parameters', (run) => run.evaluation && whole(run.evaluation.parameters)],
  ['multiply-adds an image', (run) => run.evaluation && whole(run.evaluation.multiply_adds)],
  ['supernet, validation accuracy', (run) => percent(lastOf(run, 'search', 'valid_accuracy'), 2)],
  ['decisions unlike alpha’s', (run) => run.selection && `${run.selection.events.filter(differs).length} of ${run.selection.events.length}`],
  ['time measured', (run) => (run.metrics.length ? duration(secondsOf(run)) : null)],
  ['machine', (run) => run.environment?.cpu],
];
function resultsSection(box) {
  const rows = kinds.map(([name, of]) => [name, ...runs.map((run) => of(run) ?? missing)]);
  box.append(sideBySide('', rows.filter(([, ...texts]) => texts.some((text) => text !== missing)), 'results by run'));
}

// ---- Configurations

function configurationSection(box) {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run.configuration)))];
  const rows = names.map((name) => [name, ...runs.map((run) => (Object.hasOwn(run.configuration, name) ? run.configuration[name] : missing))]);
  const made = sideBySide('option', rows, 'options by run');
  const show = choice('Show', [['differs', 'options that differ'], ['all', 'all options']]);
  const status = element('span', {role: 'status', class: 'soft'});
  const trs = [...made.querySelectorAll('tbody tr')];
  const count = trs.filter((row) => row.classList.contains('differs')).length;
  const update = () => {
    for (const row of trs) row.hidden = show.select.value === 'differs' && !row.classList.contains('differs');
    status.textContent = `${count} of ${plural(names.length, 'option')} differ${count === 1 ? 's' : ''}`;
  };
  show.select.addEventListener('change', update);
  update();
  box.append(element('div', {class: 'controls'}, show.node, status), made);
}

// ---- Curves

const drawn = [
  ['search-accuracy', 'search', 'valid_accuracy', 'Validation accuracy of the supernet', 'accuracy'],
  ['search-loss', 'search', 'valid_loss', 'Validation loss of the supernet', 'loss'],
  ['retraining-accuracy', 'train', 'test_accuracy', 'Test accuracy of the network in retraining', 'accuracy'],
  ['retraining-loss', 'train', 'train_loss', 'Training loss of the network in retraining', 'loss'],
];
// Colours that are easy to tell apart, in this order.
const palette = ['alpha', 'masking', 'third', 'dil_conv_5x5', 'avg_pool_3x3', 'nor_conv_1x1', 'noise', 'max_pool_3x3'];
const shorter = (text) => ([...text].length > 40 ? `${[...text].slice(0, 39).join('')}…` : text);
function curvesSection(box) {
  const grid = element('div', {class: 'pair'});
  box.append(grid);
  for (const [id, phase, key, label, y] of drawn) {
    const sets = runs.map((run, shape) => series(shorter(run.label), palette[shape % palette.length], pointsOf(run.metrics.filter((line) => line.phase === phase), key), {shape}));
    if (sets.some((set) => set.data.length)) addChart(grid, id, 'line', sets, {label: `${label} by epoch`, y});
  }
  if (!charts.length) box.append(paragraph('Nothing has been measured yet.'));
}

// ---- Decisions

const cellOrder = ['normal', 'reduction'];
const placeOf = (event) => [cellOrder.indexOf(event.cell), event.kind === 'operation' ? 0 : 1, event.edge ?? event.node];
const before = (a, b) => placeOf(a).map((value, i) => value - placeOf(b)[i]).find((difference) => difference !== 0) ?? 0;

// Calls `visit(title, event, run's index, names)` for every decision of every run, by place in the cells.
function everyDecision(visit) {
  runs.forEach((run, index) => {
    const names = spaceNames(run.selection?.space ?? run.configuration.space);
    for (const event of [...(run.selection?.events ?? [])].sort(before)) {
      const place = event.kind === 'operation' ? `edge ${event.edge}: ${names.edgeName(event.from, event.node)}` : `node ${event.node}: inputs`;
      visit(`${names.cellName(event.cell)}, ${place}`, event, index, names);
    }
  });
}
// Rows of texts that are filled one by one.
function rowsOf(fill) {
  const rows = new Map();
  fill((title, index, text) => {
    if (!rows.has(title)) rows.set(title, runs.map(() => missing));
    rows.get(title)[index] = text;
  });
  return [...rows].map(([title, texts]) => [title, ...texts]);
}
const decisionRows = () => rowsOf((put) => everyDecision((title, event, index, {stateName, edgeEnds}) => put(title, index,
  event.kind === 'operation' ? event.chosen : event.kept.map((edge) => stateName(edgeEnds(edge).from)).join(' and '))));
const scoreRows = () => rowsOf((put) => everyDecision((title, event, index) => {
  const byLoss = runs[index].selection.criterion === 'loss';
  for (const score of event.kind === 'operation' ? event.scores : event.rounds.flat()) {
    put(`${title}, ${event.kind === 'operation' ? score.operation : `edge ${score.edge}`}`, index,
      byLoss ? `loss ${score.loss.toFixed(4)}` : percent(score.accuracy, 2));
  }
}));
function decisionsSection(box) {
  const rows = decisionRows();
  const shared = rows.filter(([, ...texts]) => texts.filter((text) => text !== missing).length > 1);
  box.append(paragraph(`Of ${plural(shared.length, 'place')} that two runs or more have decided, they decide ` +
    `${whole(shared.filter(([, ...texts]) => !unlike(texts)).length)} alike.`),
    sideBySide('place', rows, 'decisions by run'));
  const scores = scoreRows();
  if (scores.length) {
    box.append(unfolding('Every score: the supernet without the operation (with it alone, where the selection is discretization)',
      () => sideBySide('candidate', scores, 'scores by run')));
  }
}

// ---- The page

section('results', 'Results', resultsSection);
section('configuration', 'What was set', configurationSection);
section('curves', 'Curves', curvesSection);
if (runs.some((run) => run.selection?.events.length)) section('decisions', 'Decisions', decisionsSection);
page.append(cellsDrawn);
contents();
drawCharts();

function selfcheck() {
  const text = (node) => node.textContent;
  const rows = (id) => [...document.querySelectorAll(`#${id} .compared tbody tr`)].map((row) => ({
    texts: [...row.children].map((cell) => text(cell).replace(/^≠ /, '')), differs: row.classList.contains('differs'), hidden: row.hidden}));
  const labels = [...document.querySelectorAll('#results thead bdi')].map((node) => node.title);
  writeSelfcheck({charts: readCharts(), labels, results: rows('results'), configuration: rows('configuration'), decisions: rows('decisions'),
    drawings: document.querySelectorAll('#cells svg').length});
}
if (location.hash === '#selfcheck') selfcheck();
