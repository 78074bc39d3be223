// @ts-check
/**
 * A resumable upload of something that is still being recorded (tus 1.0.0, creation with deferred length).
 *
 * Pieces are added while they come; one request is under way at a time, in order, and takes along whatever
 * waits. After any failure the server is asked how far it got (HEAD); an upload that it has forgotten is made
 * again from the first byte, because the pieces are kept until the end.
 *
 *   const upload = new Upload({ endpoint, metadata, request, key, store });
 *   upload.add(piece); ...; const id = await upload.finish();
 */

import { memoryStore } from './chunk_store.js';
import { throughput } from './video_size.js';

/** @typedef {(method: string, url: string, headers: Record<string, string>, body?: Blob) => Promise<Response>} Request */
/** @typedef {'idle' | 'sending' | 'waiting' | 'done' | 'failed'} UploadState */

/** Limits, named. */
export const LIMITS = Object.freeze({
  requestMs: 30_000, // a request that takes longer is given up and resumed
  pieceBytesMax: 1 << 20, // so that progress is seen, and little is sent twice, on a slow network
  waitFirstMs: 500,
  waitMaxMs: 8_000,
  failuresMax: 12, // more than a minute without any byte getting through: let the person decide
});

const VERSION = { 'Tus-Resumable': '1.0.0' };
const FORGOTTEN = new Set([403, 404, 410]); // what tus servers answer for an upload that is gone
const PASSING = new Set([408, 409, 423, 425, 429, 500, 502, 503, 504]); // worth asking again

/** The server will not take this upload: `response` says why. */
export class UploadRefused extends Error {
  /** @param {Response} response */
  constructor(response) {
    super(`upload refused: ${response.status}`);
    this.response = response;
  }
}

/** The network stayed away for longer than a person should wait without being asked. */
export class UploadStalled extends Error {}

/** Somebody stopped it. */
export class UploadAborted extends Error {}

export class Upload {
  /** @type {Blob[]} */
  #pieces = [];
  #offset = 0;
  #failures = 0;
  #complete = false;
  #aborted = false;
  /** @type {Promise<void> | null} */
  #running = null;
  /** @type {unknown} */
  #fault = null;
  /** @type {(() => void) | null} */
  #wake = null;
  #sentBytes = 0;
  #sentMs = 0;

  /**
   * @param {object} options
   * @param {string} options.endpoint where uploads are made
   * @param {Record<string, string>} options.metadata clear; encoded here
   * @param {Request} options.request
   * @param {string} [options.key] its name in the store
   * @param {import('./chunk_store.js').ChunkStore} [options.store]
   * @param {Record<string, unknown>} [options.about] what the page needs to finish it after a reload
   * @param {(sent: number, total: number) => void} [options.onProgress]
   * @param {(state: UploadState) => void} [options.onState]
   */
  constructor({ endpoint, metadata, request, key = 'upload', store = memoryStore(), about = {}, onProgress, onState }) {
    this.endpoint = endpoint;
    this.metadata = metadata;
    this.request = request;
    this.store = store;
    this.onProgress = onProgress ?? (() => {});
    this.onState = onState ?? (() => {});
    /** @type {import('./chunk_store.js').Held} */
    this.held = { key, location: '', at: Date.now(), complete: false, about };
  }

  /**
   * Go on with what was recorded before a reload.
   * @param {{held: import('./chunk_store.js').Held, pieces: Blob[]}} found
   */
  resumeFrom({ held, pieces }) {
    this.held = held;
    this.#pieces = pieces;
    this.#failures = held.location ? 1 : 0; // ask first how far the server got
  }

  get bytes() {
    return this.#pieces.reduce((sum, piece) => sum + piece.size, 0);
  }

  /** What the clip is, as one file: for a server without resumable uploads. */
  get file() {
    return new Blob(this.#pieces, { type: this.metadata.filetype });
  }

  /** Bits a second that were measured; 0 when too little was sent to tell. */
  get measured() {
    return throughput(this.#sentBytes, this.#sentMs);
  }

  /** The name of the upload at the server; '' before it has one. */
  get id() {
    return this.held.location.split('/').filter(Boolean).pop() ?? '';
  }

  /** Note what is needed to finish. @param {Record<string, unknown>} about */
  async note(about) {
    this.held = { ...this.held, about: { ...this.held.about, ...about } };
    await this.store.note(this.held);
  }

  /** @param {Blob} piece */
  add(piece) {
    if (!piece.size || this.#aborted) return;
    this.#pieces.push(piece);
    void this.#keep(piece, this.#pieces.length - 1);
    void this.#start();
  }

  /**
   * Send the rest; resolves to the id of the upload, rejects with UploadRefused, UploadStalled, UploadAborted.
   * May be called again after UploadStalled.
   * @returns {Promise<string>}
   */
  async finish() {
    this.#complete = true;
    this.held = { ...this.held, complete: true };
    await this.store.note(this.held).catch(() => {});
    await this.#running;
    this.#fault = null;
    this.#failures = Math.min(this.#failures, 1);
    await this.#start();
    if (this.#fault) throw this.#fault;
    return this.id;
  }

  /** Stop, and leave nothing behind. */
  async abort() {
    this.#aborted = true;
    this.#wake?.();
    await this.#running;
    const { location } = this.held;
    this.#pieces = [];
    await this.forget();
    if (location) await this.request('DELETE', location, VERSION).catch(() => {});
  }

  /** Drop what is kept on this device. */
  async forget() {
    await this.store.drop(this.held.key).catch(() => {});
  }

  /**
   * @param {Blob} piece
   * @param {number} index
   */
  async #keep(piece, index) {
    try {
      if (index === 0) await this.store.note(this.held);
      await this.store.add(this.held.key, index, piece);
    } catch {
      this.store = memoryStore(); // a full disk must not stop a recording
    }
  }

  #start() {
    this.#running ??= this.#run()
      .catch((fault) => {
        this.#fault = fault;
        this.onState('failed');
      })
      .finally(() => {
        this.#running = null;
      });
    return this.#running;
  }

  async #run() {
    while (!this.#aborted && (this.#offset < this.bytes || (this.#complete && !this.held.about.sent))) {
      this.onState(this.#failures > 1 ? 'waiting' : 'sending');
      try {
        if (!this.held.location) await this.#create();
        else if (this.#failures) await this.#ask();
        await this.#send();
        this.#failures = 0;
      } catch (fault) {
        if (fault instanceof UploadRefused || fault instanceof UploadStalled) throw fault;
        await this.#pause();
      }
    }
    if (this.#aborted) throw new UploadAborted('stopped');
    this.onState(this.#complete ? 'done' : 'idle');
  }

  async #create() {
    const headers = { ...VERSION, 'Upload-Defer-Length': '1', 'Upload-Metadata': encodeMetadata(this.metadata) };
    const response = await this.#asked('POST', this.endpoint, headers);
    const location = response.headers.get('Location');
    if (!location) throw new UploadRefused(response);
    this.#offset = 0;
    this.held = { ...this.held, location };
    await this.store.note(this.held).catch(() => {});
  }

  async #ask() {
    const response = await this.request('HEAD', this.held.location, VERSION);
    if (FORGOTTEN.has(response.status)) {
      this.held = { ...this.held, location: '' };
      this.#offset = 0;
      await this.#create();
      return;
    }
    if (!response.ok) throw new Error('not now');
    this.#offset = Number(response.headers.get('Upload-Offset') ?? 0);
  }

  async #send() {
    const total = this.bytes;
    const end = Math.min(total, this.#offset + LIMITS.pieceBytesMax);
    const body = new Blob(this.#pieces).slice(this.#offset, end);
    const last = this.#complete && end === total;
    /** @type {Record<string, string>} */
    const headers = {
      ...VERSION,
      'Upload-Offset': String(this.#offset),
      'Content-Type': 'application/offset+octet-stream',
    };
    if (last) headers['Upload-Length'] = String(total);
    const started = performance.now();
    const response = await this.#asked('PATCH', this.held.location, headers, body);
    this.#sentBytes += body.size;
    this.#sentMs += performance.now() - started;
    this.#offset = Number(response.headers.get('Upload-Offset') ?? end);
    if (last && this.#offset >= total) this.held.about.sent = true;
    this.onProgress(this.#offset, this.bytes);
  }

  /**
   * @param {string} method
   * @param {string} url
   * @param {Record<string, string>} headers
   * @param {Blob} [body]
   */
  async #asked(method, url, headers, body) {
    const response = await this.request(method, url, headers, body);
    if (response.ok) return response;
    if (method === 'PATCH' && FORGOTTEN.has(response.status)) throw new Error('forgotten');
    if (PASSING.has(response.status)) throw new Error('passing');
    throw new UploadRefused(response);
  }

  async #pause() {
    this.#failures += 1;
    if (this.#failures > LIMITS.failuresMax) throw new UploadStalled('no network');
    const longest = Math.min(LIMITS.waitMaxMs, LIMITS.waitFirstMs * 2 ** (this.#failures - 1));
    this.onState('waiting');
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, longest * (0.5 + Math.random() / 2)); // not all phones of a shop at once
      this.#wake = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
      globalThis.addEventListener('online', this.#wake, { once: true });
    });
    if (this.#wake) globalThis.removeEventListener('online', this.#wake);
    this.#wake = null;
  }
}

/**
 * `key base64,key base64`, as tus wants it.
 * @param {Record<string, string>} metadata
 */
export function encodeMetadata(metadata) {
  const encoded = (/** @type {string} */ text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
  return Object.entries(metadata)
    .filter(([, text]) => text !== '')
    .map(([key, text]) => `${key} ${encoded(text)}`)
    .join(',');
}

/**
 * Requests with the page's token, given up after `LIMITS.requestMs`.
 * @param {() => string} token
 * @param {(url: string, request: RequestInit) => Promise<Response>} [fetching] such as one that signs
 * @returns {Request}
 */
export function pageRequest(token, fetching = (url, request) => fetch(url, request)) {
  return (method, url, headers, body) =>
    fetching(url, {
      method,
      body,
      headers: { ...headers, Accept: 'application/problem+json', 'X-CSRF-Token': token() },
      credentials: 'same-origin',
      signal: AbortSignal.timeout(LIMITS.requestMs),
    });
}
