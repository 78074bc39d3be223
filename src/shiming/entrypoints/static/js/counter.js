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
