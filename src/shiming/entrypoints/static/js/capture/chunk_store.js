// @ts-check
/**
 * Where the pieces of a clip wait until the server has them. Two places behind one interface: memory, and
 * IndexedDB, which outlives a reload of the tab (and is what an offline queue would use).
 *
 * A face is nothing to leave behind on a shared device: pieces go as soon as they are sent or given up, and
 * whatever is older than `KEPT_MS` goes when the next page opens. On disk they are encrypted under a key of the
 * upload that no script can read out; it lies beside them, so that a reload can go on, and goes with them. That
 * keeps them from whoever reads the files of the profile, not from whoever runs scripts of this origin.
 */

/**
 * @typedef {object} Held what must be known to go on with an upload
 * @property {string} key names the session and the upload
 * @property {string} location '' until the server has given one
 * @property {number} at milliseconds
 * @property {boolean} complete whether recording is over
 * @property {Record<string, unknown>} about what the page needs to finish (challenge, type)
 */

/**
 * @typedef {object} ChunkStore
 * @property {(held: Held) => Promise<void>} note
 * @property {(key: string, index: number, piece: Blob) => Promise<void>} add
 * @property {(key: string) => Promise<{held: Held, pieces: Blob[]} | null>} find
 * @property {(key: string) => Promise<void>} drop
 * @property {() => Promise<void>} sweep
 */

/** A challenge lives two minutes: nothing older can be of use. */
export const KEPT_MS = 10 * 60 * 1000;

const DATABASE = 'shiming-capture';
const VERSION = 2; // of 1 nothing is taken over: its pieces lay in clear
const UPLOADS = 'uploads';
const PIECES = 'pieces';
const KEYS = 'keys';
const CIPHER = { name: 'AES-GCM', length: 256 };
const NONCE_BYTES = 12; // as AES-GCM wants it; a key seals some hundred pieces

/** @returns {ChunkStore} */
export function memoryStore() {
  /** @type {Map<string, {held: Held, pieces: Blob[]}>} */
  const all = new Map();
  return {
    note: async (held) => {
      all.set(held.key, { held, pieces: all.get(held.key)?.pieces ?? [] });
    },
    add: async (key, index, piece) => {
      const found = all.get(key);
      if (found) found.pieces[index] = piece;
    },
    find: async (key) => all.get(key) ?? null,
    drop: async (key) => {
      all.delete(key);
    },
    sweep: async () => {
      for (const [key, { held }] of all) if (Date.now() - held.at > KEPT_MS) all.delete(key);
    },
  };
}

/**
 * Open the store that outlives the tab; memory where the browser has none or refuses (private windows).
 * @returns {Promise<ChunkStore>}
 */
export async function openStore() {
  try {
    const database = await opened();
    const store = databaseStore(database);
    await store.sweep();
    return store;
  } catch {
    return memoryStore();
  }
}

/** @returns {Promise<IDBDatabase>} */
async function opened() {
  const request = indexedDB.open(DATABASE, VERSION);
  request.onupgradeneeded = () => {
    const database = request.result;
    for (const name of Array.from(database.objectStoreNames)) database.deleteObjectStore(name);
    database.createObjectStore(UPLOADS, { keyPath: 'key' });
    database.createObjectStore(PIECES, { keyPath: ['key', 'index'] });
    database.createObjectStore(KEYS);
  };
  const database = await new Promise((resolve, reject) => {
    request.onblocked = () => reject(new Error('blocked')); // a tab of an older page: memory has to do
    answer(request).then(resolve, reject);
  });
  database.onversionchange = () => database.close();
  return database;
}

/**
 * @param {IDBDatabase} database
 * @returns {ChunkStore}
 */
function databaseStore(database) {
  const tables = (/** @type {IDBTransactionMode} */ mode) => {
    const transaction = database.transaction([UPLOADS, PIECES, KEYS], mode);
    const [uploads, pieces, keys] = [UPLOADS, PIECES, KEYS].map((name) => transaction.objectStore(name));
    return { uploads, pieces, keys };
  };
  const all = (/** @type {string} */ key) => IDBKeyRange.bound([key, 0], [key, Number.MAX_SAFE_INTEGER]);
  /** @type {Map<string, Promise<CryptoKey>>} */
  const known = new Map();
  /** @type {Map<string, Promise<void>>} a piece waits until its upload is noted, however fast it comes */
  const noted = new Map();
  const made = async (/** @type {string} */ key) => {
    const kept = await answer(tables('readonly').keys.get(key));
    if (kept) return kept;
    const fresh = await crypto.subtle.generateKey(CIPHER, false, ['encrypt', 'decrypt']);
    await answer(tables('readwrite').keys.put(fresh, key));
    return fresh;
  };
  const keyOf = (/** @type {string} */ key) => {
    const found = known.get(key) ?? made(key);
    known.set(key, found);
    return found;
  };
  const drop = async (/** @type {string} */ key) => {
    known.delete(key);
    noted.delete(key);
    const { uploads, pieces, keys } = tables('readwrite');
    keys.delete(key);
    pieces.delete(all(key));
    await answer(uploads.delete(key));
  };
  return {
    note: (held) => {
      const written = keyOf(held.key).then(async () => void (await answer(tables('readwrite').uploads.put(held))));
      noted.set(held.key, written);
      return written;
    },
    add: async (key, index, piece) => {
      await noted.get(key);
      const own = await (known.get(key) ?? answer(tables('readonly').keys.get(key)));
      if (!own) return; // given up
      const row = { key, index, type: piece.type, ...(await sealed(own, key, index, piece)) };
      const { uploads, pieces } = tables('readwrite');
      if (await answer(uploads.get(key))) await answer(pieces.put(row)); // else given up meanwhile
    },
    find: async (key) => {
      const { uploads, pieces, keys } = tables('readonly');
      const wanted = [answer(uploads.get(key)), answer(pieces.getAll(all(key))), answer(keys.get(key))];
      const [held, rows, own] = await Promise.all(wanted);
      if (!held) return null;
      try {
        return { held, pieces: await Promise.all(rows.map((/** @type {Sealed} */ row) => unsealed(own, row))) };
      } catch {
        await drop(key); // what cannot be opened is of no use to anybody
        return null;
      }
    },
    drop,
    sweep: async () => {
      /** @type {Held[]} */
      const uploads = await answer(tables('readonly').uploads.getAll());
      for (const held of uploads) if (Date.now() - held.at > KEPT_MS) await drop(held.key);
    },
  };
}

/** @typedef {{key: string, index: number, type: string, nonce: Uint8Array<ArrayBuffer>, content: ArrayBuffer}} Sealed */

/** No piece can be put in the place of another. @param {string} key @param {number} index */
function place(key, index) {
  return new TextEncoder().encode(`${key}/${index}`);
}

/**
 * @param {CryptoKey} own
 * @param {string} key
 * @param {number} index
 * @param {Blob} piece
 */
async function sealed(own, key, index, piece) {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const cipher = { name: CIPHER.name, iv: nonce, additionalData: place(key, index) };
  return { nonce, content: await crypto.subtle.encrypt(cipher, own, await piece.arrayBuffer()) };
}

/** @param {CryptoKey} own @param {Sealed} row @returns {Promise<Blob>} */
async function unsealed(own, row) {
  const cipher = { name: CIPHER.name, iv: row.nonce, additionalData: place(row.key, row.index) };
  return new Blob([await crypto.subtle.decrypt(cipher, own, row.content)], { type: row.type });
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
