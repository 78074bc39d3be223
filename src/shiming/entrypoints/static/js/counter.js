// @ts-check
// The first page of the counter: a scanner that types the card's number and presses Enter ends the field, not the form.

/** Return whether a text is a whole card number: 19 or 20 digits. @param {string} text */
export function isWholeCard(text) {
  return /^[0-9]{19,20}$/.test(text.replace(/\s/g, ""));
}

document.addEventListener("keydown", (event) => {
  const field = /** @type {HTMLInputElement} */ (event.target);
  if (event.key !== "Enter" || field.name !== "iccid" || isWholeCard(field.value)) return;
  event.preventDefault(); // half a card number sends nothing
});

/**
 * Return the address of the first page as it is after a choice; numbers and cards never stand in an address.
 * @param {Iterable<{name: string, value: string}>} chosen
 */
export function addressOf(chosen) {
  const query = new URLSearchParams();
  for (const { name, value } of chosen) if (name && value) query.set(name, value);
  return `/counter?${query}`;
}

// Another product or another holder has other fields: the page is loaded again with them.
const choices = document.querySelector("[data-chooses]");
choices?.addEventListener("change", () => {
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (choices.querySelectorAll("select, input"));
  window.location.assign(addressOf(fields));
});
