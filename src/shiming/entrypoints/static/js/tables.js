// @ts-check
// Comforts of the desk: what was done is said aloud, what changed gets the focus, rows can be walked through.
import { say } from "./page.js";

/**
 * Return the row after or before one, staying inside the table.
 * @template T
 * @param {T[]} rows
 * @param {T | null} present
 * @param {1 | -1} step
 * @returns {T | null}
 */
export function neighbour(rows, present, step) {
  if (!rows.length) return null;
  const at = present === null ? -1 : rows.indexOf(present);
  if (at < 0) return step > 0 ? rows[0] : rows[rows.length - 1];
  return rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
}

/** Move the focus to the link or the first cell of the next or previous row. @param {1 | -1} step */
export function walkRows(step) {
  const rows = /** @type {HTMLTableRowElement[]} */ ([...document.querySelectorAll(".datatable tbody tr")]);
  const present = /** @type {HTMLTableRowElement | null} */ (document.activeElement?.closest(".datatable tbody tr") ?? null);
  const row = neighbour(rows, present, step);
  if (!row) return;
  const place = /** @type {HTMLElement} */ (row.querySelector("a") ?? row);
  if (place === row) row.tabIndex = -1;
  place.focus();
  row.scrollIntoView({ block: "nearest" });
}

/** Say what was done, give the focus to what is new. @param {ParentNode} part */
function attend(part) {
  for (const each of part.querySelectorAll("[data-needs-script]")) /** @type {HTMLElement} */ (each).hidden = false;
  const done = part.querySelector("[data-done]")?.textContent?.trim().replace(/\s+/g, " ");
  if (done) setTimeout(() => say(done), 300); // a region that is filled while a page loads is not read out
  const wrong = part.querySelector(".desk-body [aria-invalid='true']");
  const place = /** @type {HTMLElement | null} */ (wrong ?? part.querySelector("[data-focus]"));
  place?.focus();
}

/** On a small screen the parts of the desk begin closed, so that the page comes first. */
function foldMenu() {
  const menu = /** @type {HTMLDetailsElement | null} */ (document.querySelector("[data-desk-menu]"));
  if (menu && window.matchMedia("(max-width: 60rem)").matches) menu.open = false;
}

if (typeof document !== "undefined") {
  // the back button loads the whole page again: what HTMX would fetch for it is a part of one
  const htmx = /** @type {any} */ (window).htmx;
  if (htmx) htmx.config.refreshOnHistoryMiss = true;
  foldMenu();
  attend(document);
  const mistake = document.querySelector(".mistake")?.textContent?.trim();
  if (mistake) setTimeout(() => say(mistake), 300);
  document.addEventListener("htmx:afterSettle", (event) => {
    const part = /** @type {HTMLElement} */ (event.target);
    const table = part.closest?.(".datatable") ?? part.querySelector?.(".datatable");
    const count = table?.querySelector(".datatable-count")?.textContent?.trim();
    if (part.id === "main") {
      foldMenu();
      attend(part);
    } else if (count) say(count);
  });
}
