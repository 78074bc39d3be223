// @ts-check
// A table of the page as a CSV file: for reports that are kept nowhere.

/**
 * Return a table as CSV. Cells that a spreadsheet would take for a formula are quoted as text.
 * @param {HTMLTableElement} table
 * @returns {string}
 */
export function csvOf(table) {
  const cell = (/** @type {HTMLTableCellElement} */ each) => {
    const text = (each.textContent ?? "").trim();
    const harmless = /^[=+\-@]/.test(text) ? `'${text}` : text;
    return `"${harmless.replaceAll('"', '""')}"`;
  };
  return [...table.rows].map((row) => [...row.cells].map(cell).join(",")).join("\r\n");
}

document.addEventListener("click", (event) => {
  const pressed = /** @type {Element} */ (event.target).closest("[data-download-table]");
  if (!(pressed instanceof HTMLElement)) return;
  const table = document.getElementById(pressed.dataset.downloadTable ?? "");
  if (!(table instanceof HTMLTableElement)) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff", csvOf(table)], { type: "text/csv" }));
  link.download = pressed.dataset.file ?? "table.csv";
  link.click();
  URL.revokeObjectURL(link.href);
});
