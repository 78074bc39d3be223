// @ts-check
/** What both capture pages do alike: one tab a session, what the server says of it, what went wrong. */

import { Problem } from '../page.js';
import { CameraProblem, stopStream } from './camera.js';
import { holdSession, takeOver } from './one_tab.js';
import { Panels } from './panels.js';

const FINAL = new Set(['decided', 'expired', 'abandoned']);
const OVER = new Set(['SESSION_CLOSED', 'SESSION_EXPIRED', 'SESSION_UNKNOWN', 'SESSION_RULES_CHANGED']);
const MAYBE_OVER = new Set([404, 409, 410]); // a link has its own codes: the session is asked

export class CapturePage {
  /** @type {MediaStream | null} */
  stream = null;
  /** What is tried again when a panel's button asks for it. @type {() => unknown} */
  again = () => {};

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.panels = new Panels(root);
    this.base = root.dataset.base ?? '';
    this.language = root.dataset.language ?? 'en';
  }

  /**
   * Take the session for this tab, then begin.
   * @param {() => unknown} begin
   */
  async start(begin) {
    const lost = () => {
      this.release();
      this.panels.show('other_tab');
    };
    this.panels.listen({
      again: () => this.again(),
      'take-over': async () => {
        if (await takeOver(this.root.dataset.session ?? '', lost)) await this.#begin(begin);
      },
    });
    globalThis.addEventListener('pageshow', (event) => event.persisted && this.#begin(begin));
    globalThis.addEventListener('pagehide', () => this.release());
    if (this.root.dataset.over) this.panels.show('over');
    else if (await holdSession(this.root.dataset.session ?? '', lost)) await begin();
    else this.panels.show('other_tab');
  }

  /** After the back button or a take-over the server's state counts, not the page's. @param {() => unknown} begin */
  async #begin(begin) {
    if (await this.stillOpen()) await begin();
  }

  /** Ask how the session stands; leads on, or says that it is over. @returns {Promise<boolean>} */
  async stillOpen() {
    try {
      const answer = await fetch(this.root.dataset.sessionUrl ?? '', { headers: { Accept: 'application/json' } });
      if (answer.status === 404 || answer.status === 410) return this.#over();
      if (!answer.ok) return true; // what the server cannot say now it will say at the next step
      const session = await answer.json();
      if (session.state === 'decided') return this.leave();
      return FINAL.has(session.state) ? this.#over() : true;
    } catch {
      return true;
    }
  }

  /** Whether something was handed in already, by this page or beside it. @param {string} kind */
  async given(kind) {
    try {
      const answer = await fetch(this.root.dataset.sessionUrl ?? '', { headers: { Accept: 'application/json' } });
      return answer.ok && (await answer.json()).given.includes(kind);
    } catch {
      return false;
    }
  }

  #over() {
    this.release();
    this.panels.show('over');
    return false;
  }

  /** Go on to the next page. @param {string} [url] */
  leave(url = this.root.dataset.next ?? '/') {
    this.release();
    globalThis.location.assign(url);
    return false;
  }

  /** Give the camera back; pages add what else they hold. */
  release() {
    stopStream(this.stream);
    this.stream = null;
  }

  /**
   * Show what went wrong and remember what to try again.
   * @param {unknown} fault
   * @param {() => unknown} again
   */
  failed(fault, again) {
    this.again = again;
    if (fault instanceof CameraProblem) {
      this.release();
      this.panels.show(fault.fault);
      return;
    }
    if (fault instanceof Problem && fault.code !== 'NETWORK') {
      if (OVER.has(fault.code)) this.#over();
      else if (fault.code === 'ATTEMPTS_USED_UP') this.panels.show('used_up');
      else {
        this.panels.show('problem', { title: fault.title, detail: fault.detail });
        if (MAYBE_OVER.has(fault.status)) void this.stillOpen();
      }
      return;
    }
    if (fault instanceof Problem || fault instanceof TypeError) {
      this.panels.show('offline');
      globalThis.addEventListener('online', () => this.panels.state === 'offline' && this.again(), { once: true });
      return;
    }
    throw fault;
  }

  /** Who and where this is captured, as it goes with an upload. @returns {Promise<Record<string, string>>} */
  async stamp() {
    const { device = '', place } = this.root.dataset;
    return { captured_at: new Date().toISOString(), device, ...(place ? await position() : {}) };
  }
}

/** A fix older than this says nothing of where somebody is now. */
const FIX_AGE_MS_MAX = 60_000;
const FIX_WAIT_MS = 5_000; // indoors there may be none: nobody waits longer

/**
 * Where the device is; empty when it does not say. Whether that will do is the server's to decide.
 * @returns {Promise<Record<string, string>>}
 */
function position() {
  return new Promise((resolve) => {
    if (!navigator.geolocation) return resolve({});
    navigator.geolocation.getCurrentPosition(
      ({ coords }) =>
        resolve({
          latitude: coords.latitude.toFixed(5),
          longitude: coords.longitude.toFixed(5),
          accuracy_m: String(Math.round(coords.accuracy)),
        }),
      () => resolve({}),
      { maximumAge: FIX_AGE_MS_MAX, timeout: FIX_WAIT_MS },
    );
  });
}
