// @ts-check
// Reads a text aloud with the browser's own voice, until it is told to stop.

/**
 * Return the voice that fits a language best; undefined: the browser chooses.
 * @param {SpeechSynthesisVoice[]} voices
 * @param {string} language
 */
export function voiceFor(voices, language) {
  const short = language.slice(0, 2).toLowerCase();
  const fitting = voices.filter((voice) => voice.lang.slice(0, 2).toLowerCase() === short);
  return fitting.find((voice) => voice.localService) ?? fitting[0];
}

/** Return what is said of an element, paragraph by paragraph: long texts are cut off by some browsers. @param {Element} place */
export function sentencesOf(place) {
  return [...place.querySelectorAll("p")].map((paragraph) => paragraph.textContent?.trim() ?? "").filter(Boolean);
}

/** @param {HTMLElement} controls */
function wire(controls) {
  const place = document.getElementById(controls.dataset.readAloud ?? "");
  const start = /** @type {HTMLButtonElement} */ (controls.querySelector("[data-start]"));
  const stop = /** @type {HTMLButtonElement} */ (controls.querySelector("[data-stop]"));
  if (!place || !("speechSynthesis" in window)) return;
  controls.hidden = false;
  const show = (/** @type {boolean} */ reading) => {
    start.hidden = reading;
    stop.hidden = !reading;
  };
  const end = () => {
    const focused = document.activeElement === stop;
    show(false);
    if (focused) start.focus();
  };
  start.addEventListener("click", () => {
    window.speechSynthesis.cancel();
    const all = sentencesOf(place).map((sentence) => new SpeechSynthesisUtterance(sentence));
    for (const each of all) {
      each.lang = place.lang;
      each.voice = voiceFor(window.speechSynthesis.getVoices(), place.lang) ?? null;
      each.onerror = end;
      window.speechSynthesis.speak(each);
    }
    const last = all.at(-1);
    if (!last) return;
    last.onend = end;
    show(true);
    stop.focus();
  });
  stop.addEventListener("click", () => {
    window.speechSynthesis.cancel();
    end();
  });
  window.addEventListener("pagehide", () => window.speechSynthesis.cancel());
}

for (const controls of document.querySelectorAll("[data-read-aloud]")) wire(/** @type {HTMLElement} */ (controls));
