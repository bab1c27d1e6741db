// Drawing the charts: colours of the scheme, sizes of the screen or the sheet.

/** @typedef {Record<string, any>} Trace */
/** @typedef {{data: Trace[], layout: Record<string, any>}} Figure */
/**
 * @typedef {HTMLElement & {data?: Trace[], on: (name: string, act: (event: any) => void) => void}}
 *   Place Where a chart is drawn.
 */

const NARROW = 600; // px
const SHEET = 680; // px that fit on a sheet of A4 or Letter between its margins
const BESIDE = 72; // px of a chart over time that are not its axis
const MOMENT = 76; // px that a moment takes on it
const SETTLED = 200; // ms after the last change of the window's size
const HIGHEST = 620; // px of a chart on a sheet
/** The charts as they are shown: all of the report, or what is selected. */
let shown = /** @type {Record<string, Figure>} */ ({});
let isPrinting = false;

/**
 * The text of a packed element.
 * @param {HTMLElement} element
 * @returns {Promise<string>}
 */
async function unpacked(element) {
  const letters = atob(element.textContent);
  const packed = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at += 1) packed[at] = letters.charCodeAt(at);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}

/**
 * A value with its colours put in. `--name` is that variable of the style sheet, which knows
 * light, dark and print; `--name@0.3` is the same, so opaque.
 * @param {unknown} value
 * @param {CSSStyleDeclaration} style
 * @returns {unknown}
 */
function coloured(value, style) {
  if (typeof value === "string") {
    if (!value.includes("--")) return value;
    return value.replace(/--([a-z0-9-]+)(?:@([0-9.]+))?/g, (whole, name, opacity) => {
      const colour = style.getPropertyValue(`--${name}`).trim();
      if (!colour.startsWith("#")) return whole;
      return opacity ? colour + Math.round(255 * opacity).toString(16).padStart(2, "0") : colour;
    });
  }
  if (Array.isArray(value)) return value.map((part) => coloured(part, style));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, coloured(part, style)]),
  );
}

/**
 * A small map has small bubbles without names; the table below it has them.
 * @param {Trace} trace
 */
function narrow(trace) {
  if (!trace.ids) return;
  delete trace.text;
  trace.marker.sizeref *= 4;
  trace.marker.sizemin /= 2;
}

/**
 * An axis of time with no more moments on it than there is room for.
 * @param {Record<string, any>} axis
 * @param {number} width
 */
function thin(axis, width) {
  const most = Math.max(2, Math.floor((width - BESIDE) / MOMENT));
  if (!axis.tickvals) {
    axis.nticks = Math.min(axis.nticks ?? most, most);
    return;
  }
  const step = Math.ceil(axis.tickvals.length / most);
  const keep = (/** @type {unknown} */ _, /** @type {number} */ place) => place % step === 0;
  axis.tickvals = axis.tickvals.filter(keep);
  axis.ticktext = axis.ticktext.filter(keep);
}

/**
 * The figure as this screen or sheet shows it.
 * @param {Place} place
 * @returns {Figure}
 */
function fitted(place) {
  const style = getComputedStyle(document.documentElement);
  const figure = coloured(shown[place.dataset.figure], style);
  const { data, layout } = /** @type {Figure} */ (figure);
  const width = isPrinting ? SHEET : place.clientWidth;
  if (width < NARROW && layout.geo) {
    for (const trace of data) narrow(trace);
  }
  if (layout.xaxis) thin(layout.xaxis, width);
  if (layout.xaxis && matchMedia("(pointer: fine)").matches) layout.dragmode = "zoom";
  if (isPrinting) {
    layout.width = SHEET;
    layout.height = layout.geo ? SHEET / 2 : Math.min(layout.height, HIGHEST);
  }
  return { data, layout };
}

/**
 * Empties a chart. Bands that are drawn anew would move to their places only slowly, and a sheet of
 * paper does not wait for them.
 * @param {Place} place
 */
function clear(place) {
  Plotly.purge(place);
  delete place.dataset.listens;
}

/**
 * Draws a chart as it is shown now.
 * @param {Place} place
 */
async function drawOne(place) {
  const config = {
    responsive: true, displaylogo: false, displayModeBar: false, showSendToCloud: false,
    scrollZoom: false, doubleClick: false, showTips: false, ...words.charts,
  };
  const { data, layout } = fitted(place);
  place.querySelector(".waiting")?.remove();
  if (data[0].type === "sankey" && place.data) clear(place);
  if (data[0].type === "sankey" && !data[0].link.value.length) {
    place.textContent = words.nothingSelected;
    return;
  }
  if (!place.data) place.textContent = "";
  await Plotly.react(place, data, layout, config);
  listen(place);
}

/** @returns {Place[]} Where charts are drawn, in their order on the page. */
function places() {
  return /** @type {Place[]} */ ([...document.querySelectorAll("[data-figure]")]);
}

/** Draws every chart as it is shown now. */
function draw() {
  return Promise.all(places().map(drawOne));
}

/**
 * Draws every chart for the first time, one after the other: a reader sees the first at once. One
 * that cannot be drawn keeps none from being drawn; what was selected meanwhile is drawn then.
 */
async function drawFirst() {
  let drawn = shown;
  for (const place of places()) {
    await drawOne(place).catch(reportError);
    await new Promise((resume) => { setTimeout(resume); });
  }
  while (drawn !== shown) {
    drawn = shown;
    await draw();
  }
}

/**
 * A click on what stands for a row of a table leads to that row; on a country, an app or an
 * organisation, selects it.
 * @param {Place} place
 */
function listen(place) {
  if (place.dataset.listens) return;
  place.dataset.listens = "yes";
  if (place.dataset.figure === "time") {
    place.on("plotly_relayout", dragged);
    place.on("plotly_doubleclick", () => choose(timeless(chosen)));
  }
  place.on("plotly_click", ({ points }) => {
    const [point] = points;
    if (place.dataset.figure === "map" && point.id) toggle("country", point.id);
    if (place.dataset.figure === "sankey") toggleNode(point);
    const burst = points.find((each) => each.customdata !== undefined)?.customdata;
    if (place.dataset.figure === "time" && burst !== undefined) location.hash = `burst-${burst}`;
  });
}

/**
 * Draws the charts for a sheet of paper, or for the screen again.
 * @param {boolean} isOnPaper
 */
function turn(isOnPaper) {
  if (isOnPaper === isPrinting) return;
  isPrinting = isOnPaper;
  const all = document.querySelectorAll("section > details");
  for (const details of /** @type {NodeListOf<HTMLDetailsElement>} */ (all)) {
    if (isOnPaper && !details.open) details.dataset.shut = "yes";
    if (isOnPaper) details.open = true;
    else if (details.dataset.shut) details.open = false;
  }
  draw();
}

/** Unpacks library and figures, and draws. */
async function drawAll() {
  const packed = document.getElementById("plotly");
  if (!packed || !("DecompressionStream" in window)) return;
  const script = document.createElement("script");
  script.textContent = await unpacked(packed);
  document.head.append(script);
  const { topology, facts, ...figures } = JSON.parse(
    document.getElementById("island").textContent,
  );
  window.PlotlyGeoAssets = { topojson: { world_110m: topology } };
  shown = figures;
  startSelecting(facts, figures);
  await drawFirst();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  matchMedia("print").addEventListener("change", ({ matches }) => turn(matches));
  addEventListener("beforeprint", () => turn(true));
  addEventListener("afterprint", () => turn(false));
  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(draw, SETTLED);
  });
  document.documentElement.dataset.drawn = "yes";
}
