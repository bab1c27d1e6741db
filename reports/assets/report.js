"use strict";
// Sorting, filtering and copying in the tables; then the charts. Text only ever goes into the
// page through textContent.

for (const table of document.querySelectorAll("table")) {
  const buttons = [...table.querySelectorAll("thead button")];
  for (const button of buttons) button.addEventListener("click", () => sortBy(table, button));
}

function sortBy(table, button) {
  const head = button.closest("th");
  const column = head.cellIndex;
  const isNumber = head.classList.contains("num");
  const order = head.ariaSort
    ? (head.ariaSort === "descending" ? "ascending" : "descending")
    : (isNumber ? "descending" : "ascending");
  for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  const number = (cell) => Number(cell.dataset.sort ?? cell.textContent.replace(/[^0-9]/g, ""));
  const key = isNumber
    ? (row) => number(row.cells[column])
    : (row) => row.cells[column].textContent.trim().toLowerCase();
  const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
  rows.sort(([a], [b]) => sign * (a < b ? -1 : a > b ? 1 : 0));
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

for (const input of document.querySelectorAll("input[data-filters]")) {
  const rows = [...document.getElementById(input.dataset.filters).tBodies[0].rows];
  const output = document.getElementById(`${input.id}-count`);
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase().split(/\s+/);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !wanted.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    output.textContent = shown === rows.length
      ? `${rows.length} row${rows.length === 1 ? "" : "s"}`
      : `${shown} of ${rows.length} rows`;
  });
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button.copy");
  if (!button) return;
  const code = button.previousElementSibling;
  const status = document.getElementById("status");
  getSelection().selectAllChildren(code);
  try {
    await navigator.clipboard.writeText(code.textContent);
    status.textContent = `Copied ${code.textContent}`;
    button.textContent = "copied";
  } catch {
    status.textContent = "Selected: copy it with the keyboard";
    button.textContent = "selected";
  }
});

async function unpacked(element) {
  const packed = Uint8Array.from(atob(element.textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}

// A colour named `--name` is that variable of the style sheet, which knows light, dark and print.
function coloured(value, style) {
  if (typeof value === "string") {
    return value.replace(/--[a-z-]+/g, (name) => style.getPropertyValue(name).trim());
  }
  if (Array.isArray(value)) return value.map((part) => coloured(part, style));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, coloured(part, style)]),
  );
}

const NARROW = 600; // px

// A small map has small bubbles without names; the table below it has them.
function narrow(trace) {
  delete trace.text;
  trace.marker.sizeref *= 4;
  trace.marker.sizemin /= 2;
}

// A click on what stands for a row of a table leads to that row.
function leadToRows(place) {
  if (place.dataset.leads) return;
  place.dataset.leads = "yes";
  place.on("plotly_click", ({ points }) => {
    const number = points.find((point) => point.customdata !== undefined)?.customdata;
    if (number !== undefined) location.hash = `burst-${number}`;
  });
}

function draw(figures) {
  const style = getComputedStyle(document.documentElement);
  const config = {
    responsive: true, displaylogo: false, displayModeBar: false, showSendToCloud: false,
    scrollZoom: false,
  };
  return Promise.all([...document.querySelectorAll("[data-figure]")].map((place) => {
    const { data, layout } = coloured(figures[place.dataset.figure], style);
    place.querySelector(".waiting")?.remove();
    if (place.clientWidth < NARROW && layout.geo) for (const trace of data) narrow(trace);
    if (layout.xaxis && matchMedia("(pointer: fine)").matches) layout.dragmode = "zoom";
    return Plotly.react(place, data, layout, config).then(() => leadToRows(place));
  }));
}

async function drawAll() {
  const packed = document.getElementById("plotly");
  if (!packed || !("DecompressionStream" in window)) return;
  const script = document.createElement("script");
  script.textContent = await unpacked(packed);
  document.head.append(script);
  const { topology, ...figures } = JSON.parse(document.getElementById("island").textContent);
  window.PlotlyGeoAssets = { topojson: { world_110m: topology } };
  await draw(figures);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(figures));
  matchMedia("print").addEventListener("change", () => draw(figures));
  document.documentElement.dataset.drawn = "yes";
}

drawAll();
