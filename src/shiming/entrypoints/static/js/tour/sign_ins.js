// @ts-check
/**
 * The link in the terminal carries the passwords in its fragment, which no server and no log sees:
 * `/tour#clerk=...&reviewer=...`. They are filled in, kept for this tab, and taken out of the address.
 */
import { say, texts } from '../page.js';

const KEPT = 'shiming-tour';

/**
 * Passwords by account; nothing for a fragment that names a place of the page.
 * @param {string} fragment with its `#`
 * @returns {Record<string, string>}
 */
export function passwordsOf(fragment) {
  return Object.fromEntries([...new URLSearchParams(fragment.slice(1))].filter(([, password]) => password));
}

const given = passwordsOf(location.hash);
if (Object.keys(given).length) {
  sessionStorage.setItem(KEPT, JSON.stringify(given));
  history.replaceState(null, '', location.pathname);
}
const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? '{}');
let filled = false;
for (const field of document.querySelectorAll('input[data-account]')) {
  if (!(field instanceof HTMLInputElement)) continue;
  const password = kept[field.dataset.account ?? ''];
  if (password) {
    field.value = password;
    filled = true;
  }
}
if (filled) say(texts().filled ?? '');
