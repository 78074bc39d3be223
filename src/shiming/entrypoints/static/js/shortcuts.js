// @ts-check
// Keyboard shortcuts of the desk: g and a letter, / to the filter, j and k through rows, ? for the list.
// They can be switched off for this browser (WCAG 2.1.4), and never act while somebody types.
import { walkRows } from "./tables.js";

const KEPT = "shiming-shortcuts";
const SECOND_KEY_MS = 1500; // as long as people take to find a letter

/**
 * Say what a key means. `pending`: a g was pressed a moment ago.
 * @param {string} key
 * @param {boolean} pending
 * @returns {{kind: "go", letter: string} | {kind: "wait" | "filter" | "next" | "previous" | "list"} | null}
 */
export function meaning(key, pending) {
  if (pending) return /^[a-z]$/.test(key) ? { kind: "go", letter: key } : null;
  switch (key) {
    case "g": return { kind: "wait" };
    case "/": return { kind: "filter" };
    case "j": return { kind: "next" };
    case "k": return { kind: "previous" };
    case "?": return { kind: "list" };
    default: return null;
  }
}

/** Say whether keys are text here. @param {Element | null} place @returns {boolean} */
export function isTyping(place) {
  return !!place?.closest("input, select, textarea, [contenteditable]");
}

/** Whether shortcuts are on in this browser. */
function areOn() {
  try {
    return localStorage.getItem(KEPT) !== "off";
  } catch {
    return true;
  }
}

/** Open the list of keys. */
function openList() {
  const list = /** @type {HTMLDialogElement | null} */ (document.getElementById("desk-keys"));
  if (list && !list.open) list.showModal();
}

if (typeof document !== "undefined") {
  let pressedAt = -Infinity;
  const wire = () => {
    const choice = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-keys-switch]"));
    const opener = /** @type {HTMLElement | null} */ (document.querySelector("[data-keys-open]"));
    if (opener) {
      opener.hidden = false;
      opener.onclick = openList;
    }
    if (!choice) return;
    choice.checked = areOn();
    choice.onchange = () => localStorage.setItem(KEPT, choice.checked ? "on" : "off");
  };
  wire();
  document.addEventListener("htmx:afterSettle", wire);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !areOn()) return;
    if (isTyping(document.activeElement) || document.querySelector("dialog[open]")) return;
    const found = meaning(event.key, event.timeStamp - pressedAt < SECOND_KEY_MS);
    pressedAt = found?.kind === "wait" ? event.timeStamp : -Infinity;
    if (!found || found.kind === "wait") return;
    if (found.kind === "go") /** @type {HTMLElement | null} */ (document.querySelector(`[data-go="${found.letter}"]`))?.click();
    else if (found.kind === "filter") /** @type {HTMLElement | null} */ (document.querySelector("[data-filter]"))?.focus();
    else if (found.kind === "list") openList();
    else walkRows(found.kind === "next" ? 1 : -1);
    event.preventDefault();
  });
}
