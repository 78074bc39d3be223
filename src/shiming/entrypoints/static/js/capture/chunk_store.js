// @ts-check
/**
 * Where the pieces of a clip wait until the server has them. Two places behind one interface: memory, and
 * IndexedDB, which outlives a reload of the tab (and is what an offline queue would use).
 *
 * A face is nothing to leave behind on a shared device: pieces go as soon as they are sent or given up, and
 * whatever is older than `KEPT_MS` goes when the next page opens.
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
const VERSION = 1;
const UPLOADS = 'uploads';
const PIECES = 'pieces';

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
function opened() {
  const request = indexedDB.open(DATABASE, VERSION);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(UPLOADS, { keyPath: 'key' });
    request.result.createObjectStore(PIECES, { keyPath: ['key', 'index'] });
  };
  return answer(request);
}

/**
 * @param {IDBDatabase} database
 * @returns {ChunkStore}
 */
function databaseStore(database) {
  const tables = (/** @type {IDBTransactionMode} */ mode) => {
    const transaction = database.transaction([UPLOADS, PIECES], mode);
    return { uploads: transaction.objectStore(UPLOADS), pieces: transaction.objectStore(PIECES) };
  };
  const all = (/** @type {string} */ key) => IDBKeyRange.bound([key, 0], [key, Number.MAX_SAFE_INTEGER]);
  const drop = async (/** @type {string} */ key) => {
    const { uploads, pieces } = tables('readwrite');
    pieces.delete(all(key));
    await answer(uploads.delete(key));
  };
  return {
    note: async (held) => void (await answer(tables('readwrite').uploads.put(held))),
    add: async (key, index, piece) => void (await answer(tables('readwrite').pieces.put({ key, index, piece }))),
    find: async (key) => {
      const { uploads, pieces } = tables('readonly');
      const wanted = [answer(uploads.get(key)), answer(pieces.getAll(all(key)))];
      const [held, rows] = await Promise.all(wanted);
      return held ? { held, pieces: rows.map((/** @type {{piece: Blob}} */ row) => row.piece) } : null;
    },
    drop,
    sweep: async () => {
      /** @type {Held[]} */
      const uploads = await answer(tables('readonly').uploads.getAll());
      for (const held of uploads) if (Date.now() - held.at > KEPT_MS) await drop(held.key);
    },
  };
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
