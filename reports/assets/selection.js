// One selection of country, organisation, app, phase and span of time: what is left of the uploads
// under it is summed again for map, bands, bars and table. It stands in the address, so it can be
// linked to.

/** @typedef {Record<string, number[]>} Columns Columns of numbers, as long as each other. */
/**
 * @typedef {object} Facts What the page was given to select from; see facts.py.
 * @property {Record<string, string[]>} values
 * @property {Record<string, string[]>} texts
 * @property {Record<string, number[]>} nodes
 * @property {([string, string] | null)[]} keys
 * @property {Columns} parts
 * @property {Columns} moments
 * @property {{start: string[], end: string[]}} spans
 * @property {Columns} bins
 */

const DIMENSIONS = ["app", "runner", "country", "phase"];
/** @type {Record<string, string>} */
const CALLED = {
  app: words.app, runner: words.organisation, country: words.country, phase: words.phase,
};
/** @type {Record<string, string>} */
const SECTIONS = {
  app: "who", runner: "who", country: "where", phase: "when", from: "when",
};
const FADED = 0.12;
const UNLISTED = -1;

/**
 * Per selected dimension the place of its value; `from` and `to` are places of spans of time.
 * @type {Record<string, number>}
 */
let chosen = {};
/** @type {Columns} The uploads per part, of the chosen span of time. */
let parts = null;
/** @type {Facts} */
let facts = null;
/** @type {Record<string, Figure>} */
let whole = null;

/**
 * Takes up what selections are made from, and what the address selects.
 * @param {Facts} found
 * @param {Record<string, Figure>} figures
 */
function startSelecting(found, figures) {
  facts = found;
  whole = figures;
  addEventListener("hashchange", followAddress);
  document.getElementById("selection-clear").addEventListener("click", () => choose({}));
  document.addEventListener("click", pickClicked);
  startSliding();
  followAddress();
}

/**
 * The selection that a fragment names; without one nothing is selected. Null: it names a place of
 * the page.
 * @param {string} hash
 * @returns {Record<string, number> | null}
 */
function selectionOf(hash) {
  if (!hash) return {};
  if (!hash.includes("=")) return null;
  /** @type {Record<string, number>} */
  const found = {};
  const named = new URLSearchParams(hash.slice(1));
  if (named.has("from") && named.has("to")) {
    Object.assign(found, spansWithin(named.get("from"), named.get("to")));
  }
  for (const name of DIMENSIONS.filter((each) => named.has(each))) {
    const place = facts.values[name].indexOf(named.get(name));
    if (place >= 0) found[name] = place;
  }
  return found;
}

/**
 * The fragment of a selection; a bare mark where nothing is selected.
 * @param {Record<string, number>} selection
 */
function fragmentOf(selection) {
  const named = DIMENSIONS.filter((name) => name in selection)
    .map((name) => [name, facts.values[name][selection[name]]]);
  if ("from" in selection) {
    named.push(["from", linked(facts.spans.start[selection.from])]);
    named.push(["to", linked(facts.spans.end[selection.to])]);
  }
  return `#${new URLSearchParams(named)}`;
}

/** Shows what the address says; a place of the page leaves the selection as it is. */
function followAddress() {
  const found = selectionOf(location.hash);
  if (found === null) return;
  chosen = found;
  show();
  const [first] = [...DIMENSIONS, "from"].filter((name) => name in found);
  if (first) document.getElementById(SECTIONS[first]).scrollIntoView();
}

/**
 * Selects; the address follows, and the page stays where it is.
 * @param {Record<string, number>} selection
 * @param {boolean} [isStep] One of many on the way: no place to come back to.
 */
function choose(selection, isStep = false) {
  chosen = selection;
  show();
  const fragment = fragmentOf(selection);
  if (fragment === (location.hash || "#")) return;
  if (isStep) history.replaceState(null, "", fragment);
  else history.pushState(null, "", fragment);
}

/**
 * Selects a value, or lets go of it where it is selected.
 * @param {string} name
 * @param {string} value
 */
function toggle(name, value) {
  const place = facts.values[name].indexOf(value);
  if (place < 0) return;
  const { [name]: before, ...others } = chosen;
  choose(before === place ? others : { ...others, [name]: place });
}

/**
 * Selects what a block of the Sankey chart stands for, or both ends of a band.
 * @param {any} point
 */
function toggleNode(point) {
  const ends = point.source ? [point.source, point.target] : [point];
  for (const end of ends) {
    const key = facts.keys[end.pointNumber];
    if (key) toggle(...key);
  }
}

/**
 * A link in a table changes its own part of the selection alone.
 * @param {MouseEvent} event
 */
function pickClicked(event) {
  /** @type {HTMLAnchorElement} */
  const link = /** @type {Element} */ (event.target).closest("a.pick");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const named = new URLSearchParams(link.hash.slice(1));
  const [[name, value]] = [...named];
  if (name !== "from" && !(name in facts.values)) return;
  event.preventDefault();
  if (name === "from") togglePeriod(value, named.get("to"));
  else toggle(name, value);
}

/**
 * Which rows of a table of columns are selected.
 * @param {Columns} table
 * @returns {number[]}
 */
function selected(table) {
  const wanted = DIMENSIONS.filter((name) => name in chosen);
  return [...table.up.keys()].filter((row) =>
    wanted.every((name) => table[name][row] === chosen[name]));
}

/**
 * Sums of the selected rows, by a key.
 * @param {Columns} table
 * @param {(row: number) => string | number} key
 * @returns {Map<string | number, number>}
 */
function sums(table, key) {
  const found = new Map();
  for (const row of selected(table)) {
    found.set(key(row), (found.get(key(row)) ?? 0) + table.up[row]);
  }
  return found;
}

/** Fills charts and tables with what is selected, and says what that is. */
function show() {
  const isSome = Object.keys(chosen).length > 0;
  parts = partsNow();
  document.documentElement.toggleAttribute("data-selected", isSome);
  shown = isSome
    ? { map: mapOf(whole.map), sankey: sankeyOf(whole.sankey), time: timeOf(whole.time) }
    : whole;
  fillTable(isSome);
  say(isSome);
  slide();
  if (document.documentElement.dataset.drawn) draw();
}

/**
 * The map of the selection: other countries fade.
 * @param {Figure} figure
 * @returns {Figure}
 */
function mapOf({ data: [bubbles, ...marks], layout }) {
  const found = sums(parts, (row) => facts.values.country[parts.country[row]]);
  const sent = bubbles.ids.map((code) => found.get(code) ?? 0);
  const marker = {
    ...bubbles.marker,
    size: sent.map((up, place) =>
      up || bubbles.marker.size[place]),
    opacity: sent.map((up) => (up ? bubbles.marker.opacity : FADED)),
  };
  const names = facts.texts.country;
  const text = bubbles.ids.map((code, place) => (sent[place]
    ? `${names[facts.values.country.indexOf(code)].replace(/ \(..\)$/, "")} ${size(sent[place])}`
      .replace(/&/g, "&amp;").replace(/</g, "&lt;")
    : ""));
  const hovertext = bubbles.hovertext.map((said, place) =>
    `${said}<br>${filled(words.partSelected, { number: grouped(sent[place]) })}`);
  return { data: [{ ...bubbles, marker, text, hovertext }, ...marks], layout };
}

/**
 * The bands of the selection.
 * @param {Figure} figure
 * @returns {Figure}
 */
function sankeyOf({ data: [bands], layout }) {
  const node = (name, row) => facts.nodes[name][parts[name][row]];
  const steps = [["app", "runner"], ["runner", "country"]];
  const found = new Map(steps.flatMap(([from, to]) =>
    [...sums(parts, (row) => `${node(from, row)} ${node(to, row)}`)]));
  const keep = [...bands.link.value.keys()].filter((place) =>
    found.get(`${bands.link.source[place]} ${bands.link.target[place]}`));
  const of = (name) => keep.map((place) => bands.link[name][place]);
  const value = keep.map((place) =>
    found.get(`${bands.link.source[place]} ${bands.link.target[place]}`));
  const link = {
    ...bands.link, source: of("source"), target: of("target"), color: of("color"),
    hovercolor: of("hovercolor"), value,
  };
  return { data: [{ ...bands, link }], layout };
}

/**
 * The bars of the selection; of a span of time only that is seen.
 * @param {Figure} figure
 * @returns {Figure}
 */
function timeOf({ data, layout }) {
  const { bins, values } = facts;
  const found = sums(bins, (row) => `${bins.country[row]} ${bins.bar[row]}`);
  const idle = sums(
    { ...bins, up: bins.up.map((up, row) => (bins.idle[row] ? up : 0)) },
    (row) => `${bins.country[row]} ${bins.bar[row]}`,
  );
  const filled = data.map((trace) => {
    if (!trace.meta) return trace;
    const table = trace.meta.panel === "idle" ? idle : found;
    const codes = trace.meta.countries.map((code) => values.country.indexOf(code));
    const y = trace.x.map((begin, bar) => (isInPeriod(begin)
      ? codes.reduce((sum, place) => sum + (table.get(`${place} ${bar}`) ?? 0), 0) : 0));
    return { ...trace, y };
  });
  if (!("from" in chosen)) return { data: filled, layout };
  const range = [facts.spans.start[chosen.from], facts.spans.end[chosen.to]];
  const { tickvals, ticktext, ...axis } = layout.xaxis;
  const xaxis = { ...axis, range, ...ticksOver(range, axis.rangebreaks) };
  return { data: filled, layout: { ...layout, xaxis } };
}

/**
 * Shows the destinations that got any of the selection, and how much.
 * @param {boolean} isSome
 */
function fillTable(isSome) {
  /** @type {HTMLTableElement} */
  const table = document.querySelector("#destinations-table");
  const found = isSome ? sums(parts, (row) => parts.row[row]) : new Map();
  for (const row of table.tBodies[0].rows) {
    const up = found.get(Number(row.dataset.row));
    row.classList.toggle("unselected", isSome && up === undefined);
    row.querySelector(".picked").textContent = isSome ? grouped(up ?? 0) : "";
  }
  const other = document.querySelector("#picked-other");
  if (other) other.textContent = isSome ? grouped(found.get(UNLISTED) ?? 0) : "";
  document.getElementById("picked-total").textContent =
    isSome ? grouped(total()) : "";
  countShown(document.querySelector("input[data-filters]"));
}

/** @returns {number} The bytes of the selection. */
function total() {
  return selected(parts).reduce((sum, row) => sum + parts.up[row], 0);
}

/**
 * Says what is selected and how much that is, and marks it in the tables.
 * @param {boolean} isSome
 */
function say(isSome) {
  document.getElementById("selection").hidden = !isSome;
  const buttons = DIMENSIONS.filter((name) => name in chosen).map((name) =>
    letGo(CALLED[name], facts.texts[name][chosen[name]], () =>
      toggle(name, facts.values[name][chosen[name]])));
  if ("from" in chosen) {
    buttons.push(letGo(words.time, periodText(), () => choose(timeless(chosen))));
  }
  document.getElementById("selection-parts").replaceChildren(...buttons);
  const all = facts.parts.up.reduce((sum, up) => sum + up, 0);
  const up = total();
  const message = up < 1000 ? words.selectedFew : words.selected;
  const said = isSome
    ? filled(message, { size: size(up), number: grouped(up), all: size(all) })
    : "";
  document.getElementById("selection-sum").textContent = said;
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const links = document.querySelectorAll("a.pick");
  for (const link of links) {
    const named = new URLSearchParams(link.hash.slice(1));
    const isChosen = named.has("from")
      ? isPeriod(spansWithin(named.get("from"), named.get("to")))
      : [...named].every(([name, value]) => facts.values[name][chosen[name]] === value);
    if (isChosen) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

/**
 * A button that lets go of a part of the selection.
 * @param {string} name
 * @param {string} value
 * @param {() => void} act
 */
function letGo(name, value, act) {
  const button = document.createElement("button");
  button.type = "button";
  const text = document.createElement("bdi");
  text.textContent = value;
  button.append(`${name}: `, text, " ×");
  button.addEventListener("click", act);
  return button;
}

/**
 * A number of bytes in the unit people read, three digits; 1 kB is 1,000 bytes.
 * @param {number} count
 * @returns {string}
 */
function size(count) {
  if (count < 1000) return filled(count === 1 ? words.byte : words.bytes, { number: count });
  const whole = BigInt(Math.round(count));
  const rounded = (factor, scale) => (2n * whole * factor + scale) / (2n * scale);
  const scales = ["kB", "MB", "GB", "TB", "PB"].map((name, power) =>
    ({ name, scale: 1000n ** BigInt(power + 1) }));
  const { name, scale } = scales.find((unit) => rounded(1n, unit.scale) < 1000n)
    ?? scales[scales.length - 1];
  const decimals = [2, 1].find((some) => rounded(10n ** BigInt(some), scale) < 1000n) ?? 0;
  const digits = `${rounded(10n ** BigInt(decimals), scale)}`;
  const text = decimals
    ? `${digits.slice(0, -decimals)}${words.point}${digits.slice(-decimals)}`
    : grouped(Number(digits));
  return `${text} ${name}`;
}

drawAll();
