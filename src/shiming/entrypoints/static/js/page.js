// @ts-check
// What every page has: the CSRF token for HTMX and fetch, texts for scripts, a voice for screen readers.

/** What a route refused, as RFC 9457 says it. */
export class Problem extends Error {
  /** @param {{code?: string, title?: string, detail?: string, status?: number, details?: any}} body */
  constructor(body) {
    super(body.title ?? "");
    this.code = body.code ?? "NETWORK";
    this.title = body.title ?? "";
    this.detail = body.detail ?? "";
    this.status = body.status ?? 0;
    this.details = body.details ?? {};
  }
}

/** Return the token that changes are sent with. @returns {string} */
export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
}

/**
 * Return the texts that the page gives to its scripts.
 * @param {string} id
 * @returns {Record<string, string>}
 */
export function texts(id = "texts") {
  return JSON.parse(document.getElementById(id)?.textContent || "{}");
}

/** Let screen readers say something, politely. @param {string} text */
export function say(text) {
  const place = document.getElementById("said-aloud");
  if (place && place.textContent !== text) place.textContent = text;
}

/** Whether this browser has made a key to sign with; most have none, and load nothing for it. */
function hasKey() {
  try {
    return localStorage.getItem("shiming-device-key") !== null; // set by device_key.js
  } catch {
    return false; // storage is denied: then there is no key either
  }
}

/**
 * Fetch; an enrolled browser signs what it sends, over the very bytes. A key that nobody enrolled signs nothing.
 * @param {string} url
 * @param {RequestInit} request
 * @returns {Promise<Response>}
 */
export async function signedFetch(url, request) {
  const method = request.method ?? "GET";
  if (!["POST", "PUT", "PATCH"].includes(method) || !hasKey()) return fetch(url, request);
  const { signedHeaders } = await import("./device_key.js");
  const headers = new Headers(request.headers);
  let { body } = request;
  if (body instanceof FormData) {
    const packed = new Response(body); // its type names the boundary as it is; that of a Blob is in lower case
    headers.set("content-type", packed.headers.get("content-type") ?? "");
    body = await packed.blob();
  }
  const said = headers.get("upload-metadata");
  const signature = await signedHeaders(method, url, /** @type {string | Blob | null} */ (body ?? null), said);
  for (const [name, value] of Object.entries(signature)) headers.set(name, value);
  const answer = await fetch(url, { ...request, body, headers });
  if (answer.status !== 401) return answer;
  const { code } = await answer.clone().json().catch(() => ({}));
  return code === "DEVICE_NOT_ENROLLED" ? fetch(url, request) : answer;
}

/**
 * Send a change and return the answer; throws Problem for whatever is refused or does not arrive (code NETWORK).
 * @param {string} method
 * @param {string} url
 * @param {BodyInit | object | null} body  FormData and Blobs as they are, objects as JSON
 * @param {Record<string, string>} headers
 * @returns {Promise<Response>}
 */
export async function send(method, url, body = null, headers = {}) {
  const plain = body !== null && Object.getPrototypeOf(body) === Object.prototype;
  const all = { accept: "application/json", "x-csrf-token": csrfToken(), ...headers };
  if (plain) all["content-type"] = "application/json";
  let answer;
  try {
    const sent = plain ? JSON.stringify(body) : /** @type {BodyInit | null} */ (body);
    answer = await signedFetch(url, { method, headers: all, body: sent, credentials: "same-origin" });
  } catch {
    throw new Problem({});
  }
  if (!answer.ok) throw new Problem({ status: answer.status, ...(await answer.json().catch(() => ({}))) });
  return answer;
}

document.addEventListener("htmx:configRequest", (event) => {
  /** @type {CustomEvent} */ (event).detail.headers["X-CSRF-Token"] = csrfToken();
});

// A form that is on its way is not sent twice; the server's idempotency keys are the wall behind this one.
document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "true";
});
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.forms) delete form.dataset.sent;
});

if ("serviceWorker" in navigator && window.isSecureContext) {
  navigator.serviceWorker.register("/service-worker.js").catch(() => undefined); // a comfort; nothing needs it
}
