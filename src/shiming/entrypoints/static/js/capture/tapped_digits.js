// @ts-check
/** Digits tapped on a pad, or typed on a keyboard, for whoever does not speak them. */

import { say } from '../page.js';
import { part } from './panels.js';

export class TappedDigits {
  /** @type {(digits: string) => void} */
  #done = () => {};
  #entered = '';
  #length = 0;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.shown = part(root, '[data-tapped]', HTMLElement);
    this.finish = part(root, '[data-key="done"]', HTMLButtonElement);
    root.addEventListener('click', (event) => {
      const key = event.target instanceof Element ? event.target.closest('[data-key]') : null;
      if (key instanceof HTMLElement) this.#press(key.dataset.key ?? '');
    });
    document.addEventListener('keydown', (event) => {
      if (root.closest('[hidden]') || event.ctrlKey || event.metaKey || event.altKey) return;
      if (/^[0-9]$/.test(event.key)) this.#press(event.key);
      else if (event.key === 'Backspace') this.#press('back');
    });
  }

  /**
   * Let the person tap; resolves to what they tapped.
   * @param {string} digits
   * @param {string} instruction
   * @returns {Promise<string>}
   */
  take(digits, instruction) {
    this.#entered = '';
    this.#length = digits.length;
    part(this.root, '[data-asked]', HTMLElement).textContent = digits;
    part(this.root, '[data-instruction]', HTMLElement).textContent = instruction;
    this.#show();
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  /** @param {string} key */
  #press(key) {
    if (key === 'done') {
      if (this.#entered.length === this.#length) this.#done(this.#entered);
      return;
    }
    if (key === 'back') this.#entered = this.#entered.slice(0, -1);
    else if (this.#entered.length < this.#length) this.#entered += key;
    this.#show();
    say([...this.#entered].join(' '));
  }

  #show() {
    this.shown.textContent = this.#entered.padEnd(this.#length, '·');
    this.finish.disabled = this.#entered.length !== this.#length;
  }
}
