// @ts-check
// The key of this browser as an enrolled capture device: made here, kept here, never readable by anybody.

const DATABASE = "shiming-device";
const STORE = "keys";
const THIS = "this-browser";
const MARK = "shiming-device-key"; // tells page.js that there is a key, without this module being loaded
const HEADER = "shiming-device-proof";
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };

/** @param {ArrayBuffer | Uint8Array} bytes @returns {string} */
export function base64url(bytes) {
  const text = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/**
 * Return the members of a public key in the order that RFC 7638 hashes them.
 * @param {JsonWebKey} jwk
 */
export function canonicalKey(jwk) {
  return JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y });
}

/** @param {"readonly" | "readwrite"} mode @param {(store: IDBObjectStore) => IDBRequest} work @returns {Promise<any>} */
function inStore(mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const asked = work(opening.result.transaction(STORE, mode).objectStore(STORE));
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    };
  });
}

/** Return the key pair of this browser; undefined before one was made. @returns {Promise<CryptoKeyPair | undefined>} */
function keyPair() {
  return inStore("readonly", (store) => store.get(THIS));
}

/**
 * Make the key of this browser, in place of an earlier one, and return its public half as a JWK in text.
 * @returns {Promise<string>}
 */
export async function makeKey() {
  const made = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  await inStore("readwrite", (store) => store.put(made, THIS));
  localStorage.setItem(MARK, "made");
  return canonicalKey(await crypto.subtle.exportKey("jwk", made.publicKey));
}

/** Forget the key of this browser. */
export async function forgetKey() {
  localStorage.removeItem(MARK);
  await inStore("readwrite", (store) => store.delete(THIS));
}

/** @param {BufferSource} content */
async function hashOf(content) {
  return base64url(await crypto.subtle.digest("SHA-256", content));
}

/** @param {object} part */
function encoded(part) {
  return base64url(new TextEncoder().encode(JSON.stringify(part)));
}

/**
 * Return the header that says that this browser sends this now; nothing when it has no key.
 * @param {string} method
 * @param {string} url
 * @param {string | Blob | ArrayBuffer | null} body  as it is sent: bytes or text, not FormData
 * @param {string | null} said  what is said of an upload beside its bytes: the header Upload-Metadata
 * @returns {Promise<Record<string, string>>}
 */
export async function signedHeaders(method, url, body = null, said = null) {
  const keys = await keyPair().catch(() => undefined);
  if (!keys) return {};
  const bytes = await new Response(body).arrayBuffer();
  const jwk = await crypto.subtle.exportKey("jwk", keys.publicKey);
  const key = await hashOf(new TextEncoder().encode(canonicalKey(jwk)));
  const head = encoded({ typ: "device-proof+jwt", alg: "ES256", kid: key });
  const claims = encoded({
    htm: method,
    htu: new URL(url, location.href).pathname,
    bh: await hashOf(bytes),
    iat: Math.floor(Date.now() / 1000),
    jti: base64url(crypto.getRandomValues(new Uint8Array(16))),
    ...(said === null ? {} : { umh: await hashOf(new TextEncoder().encode(said)) }),
  });
  const signature = await crypto.subtle.sign(SIGNING, keys.privateKey, new TextEncoder().encode(`${head}.${claims}`));
  return { [HEADER]: `${head}.${claims}.${base64url(signature)}` };
}
