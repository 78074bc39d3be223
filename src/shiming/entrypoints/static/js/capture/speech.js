// @ts-check
/** Instructions spoken by the browser, where it has a voice of the language and the person wants it. */

/** The tags under which browsers list voices for the languages of a challenge and of the page. */
const TAGS = { cmn: 'zh', zh: 'zh', eng: 'en', en: 'en' };
const KEPT = 'shiming-spoken-instructions';

export class Speaker {
  /** @param {string} language of the page or of the challenge */
  constructor(language) {
    this.tag = /** @type {Record<string, string>} */ (TAGS)[language] ?? language;
    this.wanted = kept() !== 'off';
  }

  /** @returns {SpeechSynthesisVoice | undefined} */
  get voice() {
    const voices = globalThis.speechSynthesis?.getVoices() ?? [];
    return voices.find((voice) => voice.lang.toLowerCase().startsWith(this.tag));
  }

  get speaks() {
    return this.wanted && this.voice !== undefined;
  }

  /** @param {boolean} on */
  switch(on) {
    this.wanted = on;
    keep(on ? 'on' : 'off');
    if (!on) this.stop();
  }

  /** @param {string} text */
  say(text) {
    const { voice } = this;
    if (!this.wanted || !voice || !text) return;
    this.stop();
    const spoken = new SpeechSynthesisUtterance(text);
    spoken.voice = voice;
    spoken.lang = voice.lang;
    globalThis.speechSynthesis.speak(spoken);
  }

  stop() {
    globalThis.speechSynthesis?.cancel();
  }

  /** Voices are loaded late in some browsers. @param {() => void} changed */
  whenVoices(changed) {
    globalThis.speechSynthesis?.addEventListener?.('voiceschanged', changed);
    changed();
  }
}

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // storage may be forbidden
  }
}

/** @param {string} value */
function keep(value) {
  try {
    localStorage.setItem(KEPT, value);
  } catch {
    // then it holds for this page only
  }
}
