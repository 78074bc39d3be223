// @ts-check
// The form that enrols a device: this browser makes its own key, so that nobody has to paste one.

import { makeKey } from "./device_key.js";
import { say, texts } from "./page.js";

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-enrolment]"));
const key = /** @type {HTMLTextAreaElement | null} */ (form?.querySelector("[name=public_key]"));
const button = /** @type {HTMLButtonElement | null} */ (form?.querySelector("[data-make-key]"));
const possible = window.isSecureContext && "indexedDB" in window;

/** Show the place for a pasted key for readers, the button for this browser. */
function arrange() {
  if (!form || !key || !button) return;
  const kind = new FormData(form).get("kind");
  const browser = kind === "browser" && possible;
  const pasted = /** @type {HTMLElement} */ (form.querySelector("[data-pasted]"));
  const made = /** @type {HTMLElement} */ (form.querySelector("[data-made]"));
  pasted.hidden = browser;
  made.hidden = !browser;
}

button?.addEventListener("click", async () => {
  if (!key || !form) return;
  const told = /** @type {HTMLElement} */ (form.querySelector("[data-made-told]"));
  try {
    key.value = await makeKey();
    told.textContent = texts().made;
  } catch {
    told.textContent = texts().failed;
  }
  say(told.textContent ?? "");
});
form?.addEventListener("change", arrange);
arrange();
