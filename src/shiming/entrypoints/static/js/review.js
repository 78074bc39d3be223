// @ts-check
// Compare by eye: pictures open in place, one request each; keys for what the hand does often.
import { Problem, csrfToken, say, texts } from "./page.js";

/** What a key does on the page; null: nothing. Pure.
 * @param {string} key
 * @returns {{open: number} | {name: string, value: string} | null} */
export function actOf(key) {
  if (/^[1-9]$/.test(key)) return { open: Number(key) };
  /** @type {Record<string, {name: string, value: string}>} */
  const answers = {
    y: { name: "same_person", value: "yes" },
    n: { name: "same_person", value: "no" },
    u: { name: "document_genuine", value: "yes" },
    o: { name: "document_genuine", value: "no" },
  };
  return answers[key.toLowerCase()] ?? null;
}

/** Whether somebody is writing, so that keys are theirs. @param {EventTarget | null} target @returns {boolean} */
export function isWriting(target) {
  return target instanceof HTMLElement && target.closest("input:not([type=radio]), select, textarea, dialog") !== null;
}

/** Open one picture in its place. @param {HTMLFormElement} form @param {Record<string, string>} said */
async function open(form, said) {
  const place = form.closest("[data-look]");
  const picture = /** @type {HTMLImageElement | null} */ (place?.querySelector("[data-shown]") ?? null);
  const purpose = /** @type {HTMLSelectElement | null} */ (document.querySelector("[data-purpose]"));
  if (!place || !picture) return;
  say(said.opening ?? "");
  const body = new URLSearchParams({ purpose: purpose?.value ?? "" });
  const headers = { "x-csrf-token": csrfToken(), accept: "image/jpeg, application/json" };
  const answer = await fetch(form.action, { method: "POST", headers, body, credentials: "same-origin" });
  if (!answer.ok) throw new Problem(await answer.json().catch(() => ({})));
  if (picture.src) URL.revokeObjectURL(picture.src);
  picture.src = URL.createObjectURL(await answer.blob());
  picture.hidden = false;
  place.classList.add("opened");
  say((said.opened ?? "").replace("{name}", picture.alt));
}

const said = texts();
const notices = document.getElementById("notices");

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("form[data-open]"))) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopPropagation(); // a picture may be opened again
    try {
      await open(form, said);
      if (notices) notices.textContent = "";
    } catch (problem) {
      const why = problem instanceof Problem ? problem.detail || problem.title : "";
      if (notices) notices.textContent = `${said.refused ?? ""} ${why}`;
    }
  });
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
  const off = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-keys-switch]"));
  if (off && !off.checked) return; // whoever speaks to the machine turns single keys off
  const act = actOf(event.key);
  if (!act) return;
  const wanted = "open" in act
    ? document.querySelector(`[data-picture="${act.open}"]`)
    : document.querySelector(`[data-finding] input[name="${act.name}"][value="${act.value}"]`);
  if (!(wanted instanceof HTMLElement)) return;
  event.preventDefault();
  wanted.click();
  wanted.focus();
});
