// @ts-check
// The audit view: verifies the ledger while one watches, and shows the newest end of the chain first.
import { say, texts } from "./page.js";

/**
 * Fill counts into a sentence of the page.
 * @param {string} sentence
 * @param {{done: number, total: number}} progress
 * @returns {string}
 */
export function counted(sentence, progress) {
  return sentence.replace("{done}", String(progress.done)).replace("{total}", String(progress.total));
}

/** @param {HTMLElement} place */
function wire(place) {
  const words = texts("verification-texts");
  const form = /** @type {HTMLFormElement} */ (place.querySelector("form"));
  const bar = /** @type {HTMLProgressElement} */ (place.querySelector("progress"));
  const box = /** @type {HTMLElement} */ (place.querySelector("[data-progress]"));
  const text = /** @type {HTMLElement} */ (place.querySelector("[data-progress-text]"));
  const result = /** @type {HTMLElement} */ (place.querySelector("[data-result]"));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  const end = () => {
    box.hidden = true;
    button.disabled = false;
    delete form.dataset.sent;
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    button.disabled = true;
    box.hidden = false;
    bar.removeAttribute("value");
    result.replaceChildren();
    const events = new EventSource(place.dataset.verification ?? "");
    events.addEventListener("progress", (message) => {
      const progress = JSON.parse(/** @type {MessageEvent} */ (message).data);
      text.textContent = counted(words.running, progress);
      if (progress.total) bar.value = progress.done / progress.total;
    });
    events.addEventListener("result", (message) => {
      events.close();
      end();
      const { html } = JSON.parse(/** @type {MessageEvent} */ (message).data);
      result.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
      result.focus();
      say(words.ended);
    });
    events.addEventListener("error", () => {
      events.close(); // never again by itself: a verification is work
      end();
      result.textContent = words.lost;
      result.focus();
    });
  });
}

if (typeof document !== "undefined") {
  const place = /** @type {HTMLElement | null} */ (document.querySelector("[data-verification]"));
  if (place) wire(place);
  const chain = document.querySelector("[data-chain]");
  if (chain) chain.scrollLeft = chain.scrollWidth;
}
