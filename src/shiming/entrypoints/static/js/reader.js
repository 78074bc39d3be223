// @ts-check
// The card reader beside a session: asks a reader, follows what it does (Server-Sent Events), shows what was read.

import { Problem, say, send, texts } from "./page.js";

const REMEMBERED = "shiming.reader"; // the reader that stands at this counter
const SILENT_AFTER_MS = 8000; // a running program takes a wish up within a second or two
const MARKS = { wanted: ["info", "i"], waiting_for_card: ["info", "i"], reading: ["info", "i"], read: ["good", "✓"], fault: ["bad", "✕"], lost: ["attention", "!"], silent: ["attention", "!"] };

/**
 * Return what the panel says of a state: kind of notice, its mark, text and advice.
 * @param {{state: string, text?: string, advice?: string}} told
 * @param {Record<string, string>} words
 */
export function spoken(told, words) {
  const [kind, mark] = MARKS[/** @type {keyof typeof MARKS} */ (told.state)] ?? MARKS.wanted;
  return { kind, mark, text: told.text ?? words[told.state] ?? "", advice: told.advice ?? "" };
}

/**
 * Show a state in the panel and say it aloud.
 * @param {HTMLElement} panel
 * @param {{state: string, text?: string, advice?: string}} told
 */
function show(panel, told) {
  const box = /** @type {HTMLElement} */ (panel.querySelector("[data-reader-state]"));
  const said = spoken(told, texts("reader-texts"));
  box.hidden = false;
  box.className = `notice ${said.kind}`;
  for (const [name, text] of [["mark", said.mark], ["text", said.text], ["advice", said.advice]]) {
    const place = /** @type {HTMLElement} */ (box.querySelector(`[data-reader-${name}]`));
    place.textContent = text;
    place.hidden = text === "";
  }
  say([said.text, said.advice].join(" ").trim());
}

/** Remember which reader stands here; a browser that forgets asks again. @param {string} device */
function remember(device) {
  try {
    localStorage.setItem(REMEMBERED, device);
  } catch {
    // private windows keep nothing
  }
}

/** @returns {string} */
function remembered() {
  try {
    return localStorage.getItem(REMEMBERED) ?? "";
  } catch {
    return "";
  }
}

/** The panel of one session. */
class Panel {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    this.session = place.dataset.session ?? "";
    /** @type {EventSource | null} */
    this.events = null;
    this.silence = 0;
    this.asked = false;
  }

  /** Load the panel, and ask the remembered reader at once when nothing was read yet. */
  async load() {
    const answer = await fetch(this.place.dataset.readerPanel ?? "", { credentials: "same-origin" });
    if (!answer.ok) return;
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    this.place.replaceChildren(...parsed.body.childNodes);
    const panel = this.panel();
    if (!panel) return;
    const choice = /** @type {HTMLSelectElement | null} */ (panel.querySelector("[data-reader-device]"));
    const known = choice && [...choice.options].some((each) => each.value === remembered());
    if (choice && known) choice.value = remembered();
    panel.querySelector("[data-reader-ask]")?.addEventListener("click", () => this.ask());
    if (known && !this.asked && panel.dataset.done === "no") await this.ask();
  }

  panel() {
    return /** @type {HTMLElement | null} */ (this.place.querySelector("[data-reader]"));
  }

  /** Ask the chosen reader for a reading and follow it. */
  async ask() {
    const panel = this.panel();
    const choice = /** @type {HTMLSelectElement | null} */ (panel?.querySelector("[data-reader-device]"));
    if (!panel || !choice) return;
    this.asked = true;
    remember(choice.value);
    try {
      await send("PUT", `/v1/proofing-sessions/${this.session}/reader`, { device: choice.value });
      this.follow();
    } catch (error) {
      const problem = error instanceof Problem && error.title ? { text: error.title, advice: error.detail } : {};
      show(panel, { state: problem.text ? "fault" : "lost", ...problem });
    }
  }

  follow() {
    this.leave();
    this.events = new EventSource(`/v1/proofing-sessions/${this.session}/reader-events`);
    this.events.addEventListener("reader", (event) => this.told(JSON.parse(event.data)));
    this.events.addEventListener("error", () => this.tell({ state: "lost" }));
  }

  /** @param {{state: string, text?: string, advice?: string}} told */
  tell(told) {
    const panel = this.panel();
    if (panel) show(panel, told);
  }

  /** @param {{state: string, text?: string, advice?: string}} told */
  async told(told) {
    clearTimeout(this.silence);
    if (told.state === "wanted") this.silence = setTimeout(() => this.tell({ state: "silent" }), SILENT_AFTER_MS);
    this.tell(told);
    if (told.state !== "read") return;
    this.leave();
    await this.load();
    this.place.dispatchEvent(new CustomEvent("reader:read", { bubbles: true }));
  }

  leave() {
    clearTimeout(this.silence);
    this.events?.close();
    this.events = null;
  }
}

for (const place of document.querySelectorAll("[data-reader-panel]")) {
  const panel = new Panel(/** @type {HTMLElement} */ (place));
  panel.load();
  window.addEventListener("pagehide", () => panel.leave());
}
