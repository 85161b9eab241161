// The page from top to bottom, then the charts; `#selfcheck` in the address writes what was drawn, read back, for the test.

const has = (phase) => lines(phase).length > 0;
const header = document.getElementById('headline');

attempt(header, () => headline(header));
if (selection) section('decisions-section', 'Why these operations', decisionsSection);
if (has('select') || has('tune')) section('trajectory', 'The supernet through selection', trajectorySection);
if (has('search')) section('search', 'The search', searchSection);
if (alphaLines.length) section('alpha', 'Alpha over time', alphaSection);
if (has('train')) section('training', 'Retraining', trainSection);
if (data.evaluation) section('confusion', 'What it takes for what', confusionSection);
if (data.data) section('images', 'The images', dataSection);
section('repeat', 'How to repeat it', repeatSection);
contents();
drawCharts();

function selfcheck() {
  const result = {charts: readCharts(), alpha: {}};
  for (const made of charts) {
    if (!made.showEdge) continue;
    for (const cell of cellTypes) {
      alphaLines[0].alpha[cell].forEach((_, edge) => {
        made.showEdge(cell, edge);
        result.alpha[`${cell} ${edge}`] = readSeries(made);
      });
    }
  }
  const text = (node) => node.textContent;
  const number = (node) => (node ? Number(node.textContent.replace('−', '-')) : null);
  const rows = (node) => [...node.querySelectorAll('.bars .row:not(.head)')].map((row) => ({
    name: text(row.querySelector('.name')), alpha: number(row.querySelector('.left small')), harm: number(row.querySelector('.right small')),
    alphaChosen: row.querySelector('.left').classList.contains('won'), chosen: row.querySelector('.right').classList.contains('won')}));
  result.decisions = [...document.querySelectorAll('.decision')].map((node) => (
    {id: node.id, differs: node.classList.contains('differs'), rows: rows(node), note: text(node.querySelector('.note:last-child'))}));
  // The filter, used as a reader would.
  const filter = document.querySelector('#decisions-section .controls select');
  result.filtered = {};
  for (const option of filter?.options ?? []) {
    filter.value = option.value;
    filter.dispatchEvent(new Event('change'));
    result.filtered[option.value] = [...document.querySelectorAll('.decision')].filter((node) => !node.hidden).length;
  }
  result.banner = document.getElementById('banner')?.textContent ?? null;
  result.confusion = [...document.querySelectorAll('.confusion tbody tr')].map((row) => [...row.querySelectorAll('.hit, .miss')].map((cell) => Number(text(cell).replace('·', '0'))));
  result.classes = [...document.querySelectorAll('.confusion tbody th')].map(text);
  result.counts = [...document.querySelectorAll('.counts tbody tr')].map((row) => [...row.children].map(text));
  writeSelfcheck(result);
}
if (location.hash === '#selfcheck') selfcheck();
