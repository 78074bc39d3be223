// @ts-check
// The one-time token of an invitation stands in the fragment of the address, which is sent to nobody: it is put
// into the form and taken out of the address, so that no history keeps it.

/** Return the token of a fragment, or nothing. @param {string} fragment @returns {string} */
export function tokenIn(fragment) {
  return /^#([A-Za-z0-9_-]{20,100})$/.exec(fragment)?.[1] ?? "";
}

const field = /** @type {HTMLInputElement | null} */ (document.querySelector("input[name=token]"));
const token = tokenIn(window.location.hash);
if (field && token) {
  field.value = token;
  history.replaceState(null, "", window.location.pathname);
  /** @type {HTMLElement | null} */ (document.querySelector("input[name=password]"))?.focus();
}
