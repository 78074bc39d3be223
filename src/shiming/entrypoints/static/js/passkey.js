// @ts-check
// Passkeys (WebAuthn level 3): sign in with one, enrol one. The server makes the options and checks the answers.

import { Problem, send, texts } from "./page.js";

/** Return the bytes of a base64url text. @param {string} text @returns {ArrayBuffer} */
export function bytesOf(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0)).buffer;
}

/** Return bytes as base64url. @param {ArrayBuffer} bytes @returns {string} */
export function textOf(bytes) {
  const plain = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/**
 * Return options as navigator.credentials takes them: what is base64url in JSON becomes bytes.
 * @param {any} options
 */
export function withBytes(options) {
  const ids = (/** @type {any[] | undefined} */ keys) => keys?.map((key) => ({ ...key, id: bytesOf(key.id) }));
  return {
    ...options,
    challenge: bytesOf(options.challenge),
    ...(options.user && { user: { ...options.user, id: bytesOf(options.user.id) } }),
    ...(options.excludeCredentials && { excludeCredentials: ids(options.excludeCredentials) }),
    ...(options.allowCredentials && { allowCredentials: ids(options.allowCredentials) }),
  };
}

/**
 * Return a credential as JSON, also where the browser has no toJSON.
 * @param {any} credential
 */
export function asJson(credential) {
  if (typeof credential.toJSON === "function") return credential.toJSON();
  const names = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const response = Object.fromEntries(
    names.filter((name) => credential.response[name]).map((name) => [name, textOf(credential.response[name])]),
  );
  return { id: credential.id, rawId: textOf(credential.rawId), type: credential.type, response };
}

/** Sign in with a passkey; throws Problem, or what the browser says (NotAllowedError: nobody answered). */
export async function signIn() {
  const options = await (await send("POST", "/v1/sign-in/passkey/options")).json();
  const credential = await navigator.credentials.get({ publicKey: withBytes(options) });
  return (await send("POST", "/v1/sign-in/passkey", { credential: asJson(credential) })).json();
}

/** Enrol a passkey for whoever is signed in. @param {string} name */
export async function enrol(name) {
  const options = await (await send("POST", "/v1/me/passkeys/options")).json();
  const credential = await navigator.credentials.create({ publicKey: withBytes(options) });
  return (await send("POST", "/v1/me/passkeys", { credential: asJson(credential), name })).json();
}

/**
 * Return which text of the page fits a failure.
 * @param {unknown} error
 * @param {Record<string, string>} words
 */
export function wordsFor(error, words) {
  if (error instanceof Problem) return error.code === "NETWORK" ? words.network : `${error.title} ${error.detail}`;
  if (error instanceof DOMException && error.name === "InvalidStateError") return words.known;
  return words.nobody;
}

/** Wire a button that does one of the two and leads on. @param {HTMLElement} place */
function wire(place) {
  const button = /** @type {HTMLButtonElement} */ (place.querySelector("button"));
  const said = /** @type {HTMLElement} */ (place.querySelector("[role=alert]"));
  if (!("PublicKeyCredential" in window) || !window.isSecureContext) {
    button.disabled = true;
    said.textContent = texts().unsupported;
    return;
  }
  button.addEventListener("click", async () => {
    button.disabled = true;
    said.textContent = texts().waiting;
    try {
      const name = /** @type {HTMLInputElement | null} */ (place.querySelector("input[name=name]"))?.value ?? "";
      await (place.dataset.passkey === "enrol" ? enrol(name) : signIn());
      window.location.assign(place.dataset.next ?? "/");
    } catch (error) {
      button.disabled = false;
      said.textContent = wordsFor(error, texts());
      button.focus();
    }
  });
}

for (const place of document.querySelectorAll("[data-passkey]")) wire(/** @type {HTMLElement} */ (place));
