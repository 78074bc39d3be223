// @ts-check
// The paper that entitles somebody to act: photographed or chosen, kept with the order, then named by the form.
import { openCamera, stopStream } from "./capture/camera.js";
import { Problem, say, send, texts } from "./page.js";

const JPEG_QUALITY = 0.9; // text on paper stays readable; half a megabyte at most
const form = /** @type {HTMLFormElement} */ (document.querySelector("form[data-authority-document]"));
const words = texts();
/** @type {MediaStream | null} */
let stream = null;
/** @type {Blob | null} */
let picture = null;

/** @param {string} name @returns {HTMLButtonElement} */
const button = (name) => /** @type {HTMLButtonElement} */ (form.querySelector(`[data-do="${name}"]`));
const stage = /** @type {HTMLElement} */ (form.querySelector("[data-stage]"));
const video = /** @type {HTMLVideoElement} */ (form.querySelector("video"));
const taken = /** @type {HTMLImageElement} */ (form.querySelector("[data-taken]"));

/** @param {"start" | "open" | "taken"} state */
function show(state) {
  stage.hidden = state !== "open";
  taken.hidden = state !== "taken";
  button("open").hidden = state !== "start";
  button("shoot").hidden = state !== "open";
  button("again").hidden = state !== "taken";
  button("send").hidden = state !== "taken";
}

/** @param {string} text */
function tell(text) {
  /** @type {HTMLElement} */ (form.querySelector("[data-said]")).textContent = text;
  say(text);
}

/** @param {Blob} found */
function keep(found) {
  picture = found;
  if (stream) stopStream(stream);
  URL.revokeObjectURL(taken.src);
  taken.src = URL.createObjectURL(found);
  show("taken");
  button("send").focus();
}

async function open() {
  try {
    stream = await openCamera({ facing: "environment", width: 1920, height: 1440 });
  } catch {
    tell(words.denied);
    return;
  }
  video.srcObject = stream;
  tell("");
  show("open");
  button("shoot").disabled = video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA;
  if (!button("shoot").disabled) button("shoot").focus();
}

video.addEventListener("loadeddata", () => { // before it there is no picture to take
  button("shoot").disabled = false;
  button("shoot").focus();
});

button("open").addEventListener("click", open);
button("again").addEventListener("click", open);
button("shoot").addEventListener("click", () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  canvas.toBlob((found) => found && keep(found), "image/jpeg", JPEG_QUALITY);
});
form.querySelector("[data-file]")?.addEventListener("change", (event) => {
  const file = /** @type {HTMLInputElement} */ (event.target).files?.[0];
  if (file) keep(file);
});

form.addEventListener("submit", async (event) => {
  const named = /** @type {HTMLInputElement} */ (form.elements.namedItem("authority_document"));
  if (named.value || !picture) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  button("send").disabled = true;
  const body = new FormData();
  body.append("document", picture, "document");
  try {
    const answer = await send("PUT", form.dataset.authorityDocument ?? "", body);
    named.value = (await answer.json()).authority_document;
    form.submit();
  } catch (problem) {
    tell(problem instanceof Problem && problem.title ? `${problem.title} ${problem.detail}` : words.network);
    button("send").disabled = false;
  }
}, { capture: true });
