// @ts-check
// Tells the server that somebody has the page before their eyes. A preview that a messenger fetches runs no script,
// and a page that a browser loads ahead of time is not visible yet.

import { send } from "./page.js";

/**
 * Call back once, as soon as a document is visible.
 * @param {Document} page
 * @param {() => void} then
 */
export function onceShown(page, then) {
  const look = () => {
    if (page.visibilityState !== "visible") return;
    page.removeEventListener("visibilitychange", look);
    then();
  };
  page.addEventListener("visibilitychange", look);
  look();
}

const place = /** @type {HTMLElement | null} */ (document.querySelector("[data-when-shown]"));
const url = place?.dataset.whenShown;
if (url) onceShown(document, () => void send("POST", url).catch(() => undefined)); // the reader has nothing to do about it
