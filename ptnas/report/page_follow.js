// Follows a run: asks the program that served the page for its data and draws anew what has changed.

const period = 2000;
const live = document.getElementById('live');
const page = document.querySelector('main');
let shown = document.getElementById('data').textContent;
let tag = null;
let life = new AbortController();

// What a reader has set: choices, what is unfolded, where the focus and the window are. A thing is known by its place.
const placeOf = (node, kind) => {
  const box = node.closest('section, header');
  return `${box?.id} ${[...(box ?? page).querySelectorAll(kind)].indexOf(node)}`;
};
function remember() {
  const selects = [...page.querySelectorAll('select')].map((node) => [placeOf(node, 'select'), node.value]);
  const details = [...page.querySelectorAll('details')].map((node) => [placeOf(node, 'details'), node.open]);
  const focused = page.contains(document.activeElement) ? document.activeElement : null;
  const kind = focused?.localName;
  return {selects, details: new Map(details), focus: focused && [placeOf(focused, kind), kind], top: window.scrollY};
}
function restore(kept) {
  const selects = new Map(kept.selects);
  for (const node of page.querySelectorAll('select')) {
    const value = selects.get(placeOf(node, 'select'));
    if (value === undefined || value === node.value || ![...node.options].some((option) => option.value === value)) continue;
    node.value = value;
    node.dispatchEvent(new Event('change'));
  }
  for (const node of page.querySelectorAll('details')) node.open = kept.details.get(placeOf(node, 'details')) ?? node.open;
  if (kept.focus) {
    const [place, kind] = kept.focus;
    [...page.querySelectorAll(kind)].find((node) => placeOf(node, kind) === place)?.focus({preventScroll: true});
  }
  window.scrollTo({top: kept.top, behavior: 'instant'});
}

function drawAnew(data) {
  const kept = remember();
  page.style.minHeight = `${page.offsetHeight}px`;
  life.abort();
  life = new AbortController();
  for (const chart of Object.values(Chart.instances)) chart.destroy();
  for (const node of page.querySelectorAll('section:not(#network), #headline > :not(h1)')) node.remove();
  draw(data, life.signal);
  restore(kept);
  page.style.minHeight = '';
}

// The drawings of the cells come from the program, with the page.
const drawingsOf = (data) => JSON.stringify([data.genotype, data.selection?.magnitude_genotype]);

function describe(data) {
  const last = data.metrics[data.metrics.length - 1];
  const names = {search: 'search', select: 'decision', tune: 'tuning', train: 'retraining'};
  const place = !last ? 'Nothing has been measured yet.'
    : last.phase === 'select' ? `Last: decision ${last.event + 1}.` : `Last: epoch ${last.epoch} of the ${names[last.phase] ?? last.phase}.`;
  live.textContent = data.finished.includes('train') ? 'The run is finished.'
    : `Following the run. ${place} Changed at ${new Date().toLocaleTimeString('en-GB')}.`;
}

async function look() {
  const answer = await fetch('data.json', {cache: 'no-store', headers: tag ? {'If-None-Match': tag} : {}});
  if (answer.status === 304) return;
  const text = await answer.text();
  const data = JSON.parse(text);
  if (!answer.ok) throw new Error(data.error);
  tag = answer.headers.get('ETag');
  if (text !== shown) {
    const before = JSON.parse(shown);
    if (data.genotype && drawingsOf(before) !== drawingsOf(data)) {
      location.reload();
      return;
    }
    shown = text;
    drawAnew(data);
  }
  describe(data);
}
async function follow() {
  try {
    await look();
    page.dataset.lost = '';
  } catch (error) {
    page.dataset.lost = 'yes';
    live.textContent = error instanceof TypeError ? 'No answer from ptnas watch; start it again to go on following.' : error.message;
    tag = null;
  }
  setTimeout(follow, period);
}

draw(JSON.parse(shown), life.signal);
follow();
