"use strict";
// Sorting, filtering and copying in the tables. Text only ever goes into the page through
// textContent.

/** @type {Record<string, any>} What the script says, in the language of the page. */
const words = JSON.parse(document.getElementById("words").textContent);

/**
 * A message with its parts put in: `{name}` stands for one.
 * @param {string} message
 * @param {Record<string, string | number>} parts
 * @returns {string}
 */
function filled(message, parts) {
  return message.replace(/\{(\w+)\}/g, (_, name) => String(parts[name]));
}

/**
 * A whole number with its thousands set apart.
 * @param {number} count
 * @returns {string}
 */
function grouped(count) {
  return count.toLocaleString(words.locale);
}

for (const table of document.querySelectorAll("table")) {
  /** @type {NodeListOf<HTMLButtonElement>} */
  const buttons = table.querySelectorAll("thead button");
  for (const button of buttons) button.addEventListener("click", () => sortBy(table, button));
}

/**
 * Sorts a table by the column of a heading, the other way round where it is sorted by it.
 * @param {HTMLTableElement} table
 * @param {HTMLButtonElement} button
 */
function sortBy(table, button) {
  const head = button.closest("th");
  const column = head.cellIndex;
  const isNumber = head.classList.contains("num");
  const order = head.ariaSort
    ? (head.ariaSort === "descending" ? "ascending" : "descending")
    : (isNumber ? "descending" : "ascending");
  const heads = /** @type {HTMLTableRowElement} */ (head.parentElement).cells;
  for (const other of heads) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  const number = (cell) => Number(cell.dataset.sort ?? cell.textContent.replace(/[^0-9]/g, ""));
  const key = isNumber
    ? (row) => number(row.cells[column])
    : (row) => row.cells[column].textContent.trim().toLowerCase();
  const rows = [...table.tBodies[0].rows].map((row) => ({ key: key(row), row }));
  rows.sort((a, b) => sign * (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  table.tBodies[0].append(...rows.map(({ row }) => row));
}

/**
 * The rows of the table that an input filters.
 * @param {HTMLInputElement} input
 * @returns {HTMLTableRowElement[]}
 */
function rowsOf(input) {
  /** @type {HTMLTableElement} */
  const table = document.querySelector(`#${input.dataset.filters}`);
  return [...table.tBodies[0].rows];
}

/**
 * Says beside a filter how many rows of its table are shown.
 * @param {HTMLInputElement} input
 */
function countShown(input) {
  const rows = rowsOf(input);
  const hidden = (row) => row.hidden || row.classList.contains("unselected");
  const shown = rows.filter((row) => !hidden(row)).length;
  document.getElementById(`${input.id}-count`).textContent = shown === rows.length
    ? filled(rows.length === 1 ? words.row : words.rows, { number: rows.length })
    : filled(words.someRows, { shown, number: rows.length });
}

/** @type {NodeListOf<HTMLInputElement>} */
const inputs = document.querySelectorAll("input[data-filters]");
for (const input of inputs) {
  const rows = rowsOf(input);
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase().split(/\s+/);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !wanted.every((word) => text.includes(word));
    }
    countShown(input);
  });
}

document.addEventListener("click", async (event) => {
  const button = /** @type {Element} */ (event.target).closest("button.copy");
  if (!button) return;
  const code = button.previousElementSibling;
  const status = document.getElementById("status");
  getSelection().selectAllChildren(code);
  try {
    await navigator.clipboard.writeText(code.textContent);
    status.textContent = filled(words.copied, { text: code.textContent });
    button.textContent = words.copiedShort;
  } catch {
    status.textContent = words.useKeyboard;
    button.textContent = words.selectedShort;
  }
});
