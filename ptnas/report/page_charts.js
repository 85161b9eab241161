// Charts by Chart.js: made together at the end, coloured anew when light, dark or paper changes.

const charts = [];

// One line or cloud of points; `name` chooses colour and shape, `shape` its place among the operations.
function series(label, name, points, {dash = [], shape = 0, ...more} = {}) {
  return {label, tone: name, shape, data: points, borderDash: dash, pointStyle: shapes[shape % shapes.length], ...more};
}
const pointsOf = (list, key, x = (line) => line.epoch) =>
  list.filter((line) => line[key] != null).map((line) => ({x: x(line), y: line[key]}));

function axes(type, x, y) {
  const title = (text) => ({display: text !== '', text});
  return {
    x: {type: type === 'bar' ? 'category' : 'linear', title: title(x), ticks: {precision: type === 'scatter' ? undefined : 0}, grid: {}},
    y: {title: title(y), ticks: {}, grid: {}, beginAtZero: type === 'bar'},
  };
}
function optionsOf(type, {x = 'epoch, from 0', y = '', tooltip = {}, manyPoints = false}) {
  return {
    animation: false, responsive: true, maintainAspectRatio: false, scales: axes(type, x, y),
    interaction: type === 'line' ? {mode: 'index', intersect: false} : {mode: 'nearest', intersect: true},
    elements: {point: {radius: manyPoints ? 0 : type === 'scatter' ? 4 : 3, hoverRadius: 6}, line: {borderWidth: 2, tension: 0}},
    plugins: {legend: {position: 'bottom', labels: {boxWidth: 12, boxHeight: 8, padding: 12, usePointStyle: type !== 'bar'}}, tooltip},
  };
}

// Adds a chart to `parent`, with its numbers as a table. `caption` says what is to be seen in it.
function addChart(parent, id, type, datasets, {label, caption = label, labels, marker, ...more}) {
  const canvas = element('canvas', {role: 'img', 'aria-label': `${label}. The numbers are in the table below.`});
  const figure = element('figure', {}, element('div', {class: 'chart'}, canvas), element('figcaption', {}, caption));
  parent.append(figure);
  const longest = Math.max(0, ...datasets.map((set) => set.data.length));
  const options = optionsOf(type, {...more, manyPoints: type === 'line' && longest > 60});
  const made = {id, canvas, config: {type, data: {labels, datasets}, options, plugins: marker ? [marker] : []}};
  figure.append(unfolding('The numbers', () => numbersTable(type, made.chart.data, more.x ?? 'epoch', label)));
  charts.push(made);
  return made;
}

const numberText = (value) => (value == null ? '' : String(Number(value.toPrecision(6))));
function numbersTable(type, {labels, datasets}, x, caption) {
  if (type === 'bar') {
    return table('numbers', [x, ...datasets.map((set) => set.label)],
      labels.map((name, i) => [name, ...datasets.map((set) => numberText(set.data[i]))]), caption);
  }
  if (type === 'scatter') {
    return table('numbers', ['', 'x', 'y'],
      datasets.flatMap((set) => set.data.map((point) => [set.label, numberText(point.x), numberText(point.y)])), caption);
  }
  const places = [...new Set(datasets.flatMap((set) => set.data.map((point) => point.x)))].sort((a, b) => a - b);
  const maps = datasets.map((set) => new Map(set.data.map((point) => [point.x, point.y])));
  return table('numbers', [x, ...datasets.map((set) => set.label)],
    places.map((place) => [String(place), ...maps.map((map) => numberText(map.get(place)))]), caption);
}

// A dashed vertical line that says what begins there.
function verticalLine(at, text) {
  return {
    id: 'verticalLine',
    afterDatasetsDraw({ctx, chartArea, scales}) {
      const x = scales.x.getPixelForValue(at);
      if (!(x >= chartArea.left && x <= chartArea.right)) return;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = cssColour('--soft');
      ctx.setLineDash([3, 3]);
      ctx.beginPath();
      ctx.moveTo(x, chartArea.top);
      ctx.lineTo(x, chartArea.bottom);
      ctx.stroke();
      ctx.textAlign = x > (chartArea.left + chartArea.right) / 2 ? 'right' : 'left';
      ctx.fillText(text, x + (ctx.textAlign === 'left' ? 5 : -5), chartArea.top + 11);
      ctx.restore();
    },
  };
}

// ---- Colours of what is drawn on canvas

function colourDatasets(datasets) {
  datasets.forEach((set) => {
    set.borderColor = tone(set.tone, set.shape);
    set.backgroundColor = set.borderColor;
  });
}
function colourOptions(options) {
  for (const scale of Object.values(options.scales)) {
    scale.ticks.color = scale.title.color = cssColour('--soft');
    scale.grid.color = cssColour('--line');
  }
  options.plugins.legend.labels.color = cssColour('--ink');
}
function recolour() {
  for (const {chart} of charts) {
    if (!chart) continue;
    colourDatasets(chart.data.datasets);
    colourOptions(chart.config.options);
    chart.update('none');
  }
}
function drawCharts() {
  Chart.defaults.font.family = 'system-ui, -apple-system, "Segoe UI", sans-serif';
  for (const made of charts) {
    attempt(made.canvas.closest('section'), () => {
      colourDatasets(made.config.data.datasets);
      colourOptions(made.config.options);
      made.chart = new Chart(made.canvas, made.config);
    });
  }
}
// Paper is light and narrow, whatever the screen is.
function printing(begins) {
  document.documentElement.classList.toggle('printing', begins);
  for (const {chart} of charts) chart?.resize();
  recolour();
}
darkScheme.addEventListener('change', recolour, {signal});
window.addEventListener('beforeprint', () => printing(true), {signal});
window.addEventListener('afterprint', () => printing(false), {signal});

// ---- What was drawn, read back, for the test

const readSeries = ({chart}) => chart.data.datasets.map((set) => ({label: set.label, data: set.data}));
const readCharts = () => Object.fromEntries(charts.map((made) =>
  [made.id, {labels: made.chart.data.labels, datasets: readSeries(made), pixels: made.canvas.width * made.canvas.height}]));
function writeSelfcheck(result) {
  for (const node of document.querySelectorAll('details')) node.open = true;
  result.scripts = document.scripts.length;
  result.sections = [...document.querySelectorAll('section')].map((node) => node.id);
  result.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  result.requests = performance.getEntriesByType('resource').map((entry) => entry.name);
  result.errors = errors;
  document.getElementById('selfcheck')?.remove();
  document.body.append(element('pre', {id: 'selfcheck'}, JSON.stringify(result)));
}
