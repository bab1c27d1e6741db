// A span of time as part of the selection: dragged over the bars, set by two sliders, or linked to.
// It goes by the spans that the page knows sums of, so that what is shown is exact.

const ENDS = ["from", "to"];

const WRITTEN = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?Z?$/;
const PAUSE = 120; // ms without a step of a slider, after which it is followed

/**
 * A moment in milliseconds; NaN: the text names none. Plotly leaves zeros out, links have a Z.
 * @param {string} text
 * @returns {number}
 */
function moment(text) {
  const [, day, clock = "00:00"] = WRITTEN.exec(text) ?? [];
  return Date.parse(`${day}T${clock}Z`);
}

/**
 * A moment in a link: without what is nought in it.
 * @param {string} text
 */
function linked(text) {
  return `${readable(text).replace(" ", "T")}Z`;
}

/**
 * A moment as a reader's words.
 * @param {string} text
 */
function readable(text) {
  return text.replace(/\.?0+$/, "").replace("T", " ");
}

/**
 * The first and the last span that touch a stretch of time; null: none does.
 * @param {string} begin
 * @param {string} end
 * @returns {Record<string, number> | null}
 */
function spansWithin(begin, end) {
  const [low, high] = [moment(begin), moment(end)];
  const { spans } = facts;
  const from = spans.end.findIndex((text) => moment(text) > low);
  const to = spans.start.filter((text) => moment(text) < high).length - 1;
  return low < high && from >= 0 && from <= to ? { from, to } : null;
}

/**
 * The selection without its span of time.
 * @param {Record<string, number>} selection
 * @returns {Record<string, number>}
 */
function timeless({ from, to, ...others }) {
  return others;
}

/**
 * The uploads per part: all, or those of the chosen span.
 * @returns {Columns}
 */
function partsNow() {
  if (!("from" in chosen)) return facts.parts;
  const { part, span, up } = facts.moments;
  /** @type {Map<number, number>} */
  const found = new Map();
  part.forEach((place, row) => {
    if (span[row] < chosen.from || span[row] > chosen.to) return;
    found.set(place, (found.get(place) ?? 0) + up[row]);
  });
  const columns = Object.entries(facts.parts).map(([name, column]) =>
    [name, [...found.keys()].map((place) => column[place])]);
  return { ...Object.fromEntries(columns), up: [...found.values()] };
}

/**
 * What is chosen, as a reader's words: the day is said once where both ends have it.
 * @returns {string}
 */
function periodText() {
  const [begin, end] = [facts.spans.start[chosen.from], facts.spans.end[chosen.to]].map(readable);
  const [day] = begin.split(" ");
  return filled(words.span, { begin, end: end.startsWith(day) ? end.slice(day.length + 1) : end });
}

/**
 * Moments on the axis of a span of time out of which some is cut: its ends, and where it goes on
 * after each. Plotly finds them itself where nothing is cut out.
 * @param {string[]} range
 * @param {{bounds: string[]}[]} cuts
 */
function ticksOver([begin, end], cuts) {
  const after = cuts.map(({ bounds }) => bounds[1]).filter((text) => text > begin && text < end);
  if (!after.length) return {};
  const tickvals = [begin, ...after, end];
  const ticktext = tickvals.map((text) => readable(text).split(" ").reverse().join("<br>"));
  return { tickvals, ticktext };
}

/**
 * Selects what a reader dragged over; where nothing was sent then, the bars stay as they were.
 * @param {Record<string, any>} change What plotly says of its axes.
 */
function dragged(change) {
  if (!("xaxis.range[0]" in change)) return;
  const found = spansWithin(change["xaxis.range[0]"], change["xaxis.range[1]"]);
  if (found) choose({ ...chosen, ...found });
  else draw();
  sayWhether(found);
}

/**
 * Says to who cannot see it that a span of time selects nothing.
 * @param {Record<string, number> | null} found
 */
function sayWhether(found) {
  document.getElementById("status").textContent = found ? "" : words.nothingThen;
}

/**
 * Whether a moment is in the chosen span of time; with none chosen, all are.
 * @param {string} text As in `spans`, so that texts are in the order of time.
 */
function isInPeriod(text) {
  if (!("from" in chosen)) return true;
  return text >= facts.spans.start[chosen.from] && text < facts.spans.end[chosen.to];
}

/**
 * Whether these spans are what is chosen.
 * @param {Record<string, number> | null} found
 */
function isPeriod(found) {
  return found !== null && ENDS.every((name) => chosen[name] === found[name]);
}

/**
 * Selects a stretch of time, or lets go of it where it is selected.
 * @param {string} begin
 * @param {string} end
 */
function togglePeriod(begin, end) {
  const found = spansWithin(begin, end);
  if (found) choose(isPeriod(found) ? timeless(chosen) : { ...chosen, ...found });
  sayWhether(found);
}

/** @returns {HTMLInputElement[]} The sliders of both ends. */
function sliders() {
  return ENDS.map((name) => /** @type {HTMLInputElement} */ (
    document.getElementById(`period-${name}`)));
}

/** Shows the sliders, where there is more than one span to choose from. */
function startSliding() {
  const last = facts.spans.start.length - 1;
  const place = document.getElementById("period");
  if (!place || last < 1) return;
  place.hidden = false;
  const both = sliders();
  let waiting = 0;
  const follow = () => {
    const [from, to] = both.map((each) => each.valueAsNumber);
    choose(from === 0 && to === last ? timeless(chosen) : { ...chosen, from, to }, true);
  };
  both.forEach((slider, end) => {
    slider.max = String(last);
    slider.addEventListener("input", () => {
      const other = both[1 - end];
      const isPast = end === 0 ? slider.valueAsNumber > other.valueAsNumber
        : slider.valueAsNumber < other.valueAsNumber;
      if (isPast) other.value = slider.value;
      sayEnds();
    });
    slider.addEventListener("change", () => {
      clearTimeout(waiting);
      waiting = setTimeout(follow, PAUSE);
    });
  });
  slide();
}

/** Puts the sliders where the selection is. */
function slide() {
  const [from, to] = sliders();
  if (!from) return;
  from.value = String(chosen.from ?? 0);
  to.value = String(chosen.to ?? facts.spans.start.length - 1);
  sayEnds();
}

/** Says beside each slider, and to who cannot see it, the moment it stands at. */
function sayEnds() {
  const { start, end } = facts.spans;
  if (!start.length) return;
  const [from, to] = sliders();
  for (const [slider, texts] of /** @type {[HTMLInputElement, string[]][]} */ (
    [[from, start], [to, end]])) {
    const text = readable(texts[slider.valueAsNumber]);
    slider.setAttribute("aria-valuetext", text);
    document.getElementById(`${slider.id}-text`).textContent = text;
  }
}
