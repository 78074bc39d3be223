// @ts-check
// Pages by a link: what needs no press of a button goes on by itself; without script the button is there.

/** @type {HTMLFormElement | null} */
const waiting = document.querySelector("form[data-by-itself]");
if (waiting) waiting.requestSubmit();
