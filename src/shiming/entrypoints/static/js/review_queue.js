// @ts-check
// The queue of those who wait: j and k go from one to the next, as in the tables of the desk.

/** The place to go to; stays within the list. Pure.
 * @param {number} current @param {number} count @param {string} key @returns {number | null} */
export function placeAfter(current, count, key) {
  if (count === 0) return null;
  if (key === "j") return Math.min(current + 1, count - 1);
  if (key === "k") return Math.max(current - 1, 0);
  return null;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof HTMLElement && event.target.closest("input, select, textarea, dialog")) return;
  const off = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-keys-switch]"));
  if (off && !off.checked) return;
  const links = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-waiting] h2 a"))];
  const place = placeAfter(links.indexOf(/** @type {HTMLElement} */ (document.activeElement)), links.length, event.key);
  if (place === null) return;
  event.preventDefault();
  links[place]?.focus();
});
