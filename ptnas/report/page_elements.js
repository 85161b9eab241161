'use strict';
// Elements, texts and colours. Texts become text nodes, never markup: class and file names come from strangers.

// These files are the body of draw(data, signal); the signal takes back the listeners when a page is drawn again.

const page = document.querySelector('main');
const errors = [];
window.addEventListener('error', (event) => errors.push(String(event.message)), {signal});

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}
const paragraph = (text, kind = null) => element('p', {class: kind}, text);
const sentence = (...parts) => element('p', {}, ...parts);

// A stranger's name within a sentence: kept to itself (it may turn the direction of writing) and not too long.
function named(text) {
  const letters = [...text];
  return element('bdi', {title: text}, letters.length > 60 ? `${letters.slice(0, 59).join('')}…` : text);
}

// A part of the page: a failure in it is told there and leaves the others alone.
function section(id, title, draw) {
  const box = element('section', {id, 'aria-labelledby': `${id}-title`}, element('h2', {id: `${id}-title`}, title));
  page.append(box);
  attempt(box, () => draw(box));
}
function attempt(box, draw) {
  try {
    draw();
  } catch (error) {
    errors.push(`${box.id}: ${error.stack ?? error}`);
    box.append(paragraph(`This part could not be drawn: ${error.message}`, 'note'));
  }
}

// A table from texts; the first of each row is its heading.
function table(kind, headings, rows, caption = null) {
  const head = element('tr', {}, ...headings.map((text) => element('th', {scope: 'col'}, text)));
  const body = rows.map(([first, ...rest]) =>
    element('tr', {}, element('th', {scope: 'row'}, first), ...rest.map((cell) => element('td', {}, cell))));
  return element('div', {class: 'wide', tabindex: '0', role: 'group', 'aria-label': caption ?? headings.join(', ')},
    element('table', {class: kind}, element('thead', {}, head), element('tbody', {}, ...body)));
}
// What is only built when a reader opens it.
function unfolding(summary, build) {
  const node = element('details', {}, element('summary', {}, summary));
  node.addEventListener('toggle', () => {
    if (node.open && node.children.length === 1) node.append(build());
  });
  return node;
}
// Links to the sections, under the heading.
function contents() {
  const links = [...page.querySelectorAll('section')].map((box) =>
    element('a', {href: `#${box.id}`}, box.querySelector('h2').textContent));
  document.getElementById('headline').querySelector('h1').after(element('nav', {'aria-label': 'contents'}, ...links));
}
function choice(label, options) {
  const select = element('select', {}, ...options.map(([value, text]) => element('option', {value}, text)));
  return {select, node: element('label', {}, `${label} `, select)};
}

// ---- Texts

const whole = (number) => number.toLocaleString('en');
const percent = (share, digits = 1) => (share == null ? '–' : `${(100 * share).toFixed(digits)} %`);
const plural = (count, one, many = `${one}s`) => `${whole(count)} ${count === 1 ? one : many}`;
function million(count) {
  if (count >= 1e9) return `${(count / 1e9).toFixed(2)} G`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(count >= 1e8 ? 0 : 1)} M`;
  return count >= 1e4 ? `${(count / 1e3).toFixed(0)} k` : whole(count);
}
function duration(seconds) {
  if (seconds < 90) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 5400) return `${(seconds / 60).toFixed(0)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
// ---- Runs

const sameEdges = (a, b) => String([...a].sort((x, y) => x - y)) === String([...b].sort((x, y) => x - y));
const differs = (event) =>
  (event.kind === 'operation' ? event.chosen !== event.alpha_choice : !sameEdges(event.kept, event.alpha_choice));

// How the parts of a space's cells are called. NAS-Bench-201's cell has one input, which is its node 0, and no reduction cell stands
// beside it.
function spaceNames(space) {
  const oneInput = space === 'nb201';
  const stateName = (state) => (oneInput ? String(state) : state === 0 ? 'cₖ₋₂' : state === 1 ? 'cₖ₋₁' : String(state - 2));
  // Edges in the order of the space: node 0 from states 0, 1; node 1 from 0, 1, 2; ... With one input: node 1 from 0; node 2 from 0, 1; ...
  const edgeEnds = (edge) => {
    const more = oneInput ? 0 : 2;
    let node = oneInput ? 1 : 0;
    while (edge >= node + more) edge -= node++ + more;
    return {from: edge, node};
  };
  return {oneInput, stateName, edgeEnds, cellTypes: oneInput ? ['normal'] : ['normal', 'reduction'],
    cellName: (cell) => (oneInput ? 'Cell' : cell === 'normal' ? 'Normal cell' : 'Reduction cell'),
    edgeName: (from, node) => `${stateName(from)} → ${node}`};
}

// ---- Colours, for light and dark paper. Operations of a kind are alike; the shapes of points tell them apart as well.

const tones = {
  alpha: ['#0a66a8', '#6db6ea'], masking: ['#b3541e', '#f0a070'], third: ['#1b7a4b', '#6fd0a0'],
  max_pool_3x3: ['#7a5c1e', '#d0ac6a'], avg_pool_3x3: ['#a87d00', '#f0c75e'], skip_connect: ['#d0480a', '#ff8f4d'],
  sep_conv_3x3: ['#0068a6', '#4fa8ee'], sep_conv_5x5: ['#2f8fcb', '#a5d3f7'], dil_conv_3x3: ['#007a5a', '#3fc79a'],
  dil_conv_5x5: ['#97408a', '#dd8fca'], nor_conv_1x1: ['#2f8fcb', '#a5d3f7'], nor_conv_3x3: ['#0068a6', '#4fa8ee'], none: ['#6b7280', '#9aa4af'], noise: ['#30363d', '#e6e9ec'],
};
const shapes = ['circle', 'rect', 'triangle', 'rectRot', 'star', 'crossRot', 'rectRounded', 'cross', 'dash'];
const knownTones = Object.keys(tones).slice(3);

const darkScheme = matchMedia('(prefers-color-scheme: dark)');
const isPrinting = () => document.documentElement.classList.contains('printing');
function tone(name, index = 0) {
  const pair = Object.hasOwn(tones, name) ? tones[name] : tones[knownTones[index % knownTones.length]];
  return pair[darkScheme.matches && !isPrinting() ? 1 : 0];
}
const cssColour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
