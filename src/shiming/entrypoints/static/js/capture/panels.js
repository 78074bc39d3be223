// @ts-check
/**
 * The states of a capture page. Each is a `<section data-state="name">` that the server wrote, in the
 * person's language; one is shown at a time, and the focus moves to its heading.
 */

export class Panels {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.state = '';
  }

  /**
   * @param {string} state one name, or several for one panel: `data-state="opening sending"`
   * @param {Record<string, string | number>} [values] text for `[data-value=name]`
   */
  show(state, values = {}) {
    const changed = state !== this.state;
    this.state = state;
    this.root.dataset.now = state;
    for (const panel of this.root.querySelectorAll('[data-state]')) {
      const { dataset } = /** @type {HTMLElement} */ (panel);
      /** @type {HTMLElement} */ (panel).hidden = !(dataset.state ?? '').split(' ').includes(state);
    }
    this.fill(values);
    if (changed) this.#focus(state);
  }

  /** @param {Record<string, string | number>} values */
  fill(values) {
    for (const [name, value] of Object.entries(values)) {
      for (const place of this.root.querySelectorAll(`[data-value="${name}"]`)) {
        if (place.textContent !== String(value)) place.textContent = String(value);
      }
    }
  }

  /** @param {string} state */
  #focus(state) {
    const panel = this.root.querySelector(`[data-state~="${state}"]`);
    if (panel && panel.getBoundingClientRect().bottom > globalThis.innerHeight) panel.scrollIntoView({ block: 'start' });
    const place = panel?.querySelector('[data-focus]') ?? panel?.querySelector('h2');
    if (!(place instanceof HTMLElement)) return;
    if (!place.hasAttribute('tabindex') && !place.matches('button, a, input, select')) place.tabIndex = -1;
    place.focus({ preventScroll: true });
  }

  /**
   * Call `act` when `[data-do=name]` is pressed, wherever it stands.
   * @param {Record<string, (button: HTMLElement) => unknown>} acts
   */
  listen(acts) {
    this.root.addEventListener('click', (event) => {
      const target = event.target instanceof Element ? event.target.closest('[data-do]') : null;
      if (!(target instanceof HTMLElement)) return;
      const act = acts[target.dataset.do ?? ''];
      if (act) void act(target);
    });
  }
}

/**
 * The element with this attribute; a page without it is a fault of ours.
 * @template {HTMLElement} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new (...args: never[]) => T} kind
 * @returns {T}
 */
export function part(root, selector, kind) {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new TypeError(`no ${selector}`);
  return found;
}

/**
 * The reasons of a decision as list items.
 * @param {HTMLElement} list
 * @param {{text: Record<string, string>, advice: Record<string, string>}[]} reasons
 * @param {string} language
 */
export function listReasons(list, reasons, language) {
  const items = reasons.map((reason) => {
    const item = document.createElement('li');
    item.textContent = [reason.text?.[language], reason.advice?.[language]].filter(Boolean).join(' ');
    return item;
  });
  list.replaceChildren(...items);
  list.hidden = !items.length;
}
