// @ts-check
/** The photo booth of the tour: one frame, cut to a portrait, becomes the card's. */
import { send, texts } from '../page.js';

const WIDTH = 716; // twice the stored picture of a card
const HEIGHT = 882;
const QUALITY = 0.92;

/**
 * The part of a frame that the booth shows: as CSS's `object-fit: cover`, a little above the middle.
 * @param {number} width @param {number} height
 */
export function cut(width, height) {
  const scale = Math.min(width / WIDTH, height / HEIGHT);
  const [w, h] = [WIDTH * scale, HEIGHT * scale];
  return { x: (width - w) / 2, y: (height - h) * 0.4, w, h };
}

const booth = document.getElementById('booth');
if (booth) {
  const said = texts();
  const video = /** @type {HTMLVideoElement} */ (booth.querySelector('video'));
  const place = /** @type {HTMLElement} */ (booth.querySelector('.said'));
  const open = /** @type {HTMLButtonElement} */ (booth.querySelector('[data-do=open]'));
  const take = /** @type {HTMLButtonElement} */ (booth.querySelector('[data-do=take]'));

  open.addEventListener('click', async () => {
    try {
      const wanted = { video: { facingMode: 'user', width: { ideal: 1280 }, height: { ideal: 960 } } };
      video.srcObject = await navigator.mediaDevices.getUserMedia(wanted);
      await video.play();
    } catch (error) {
      const name = error instanceof DOMException ? error.name : '';
      place.textContent = said[{ NotAllowedError: 'denied', NotReadableError: 'busy' }[name] ?? 'missing'];
      return;
    }
    booth.dataset.now = 'open';
    place.textContent = said.ready;
    open.hidden = true;
    take.hidden = false;
    take.focus();
  });

  take.addEventListener('click', async () => {
    take.disabled = true;
    place.textContent = said.sending;
    try {
      const answer = await send('POST', '/tour/your-card', await frame(video), { 'content-type': 'image/jpeg' });
      for (const track of /** @type {MediaStream} */ (video.srcObject).getTracks()) track.stop();
      location.assign((await answer.json()).next);
    } catch (problem) {
      const { title = '', detail = '' } = /** @type {{title?: string, detail?: string}} */ (problem);
      place.textContent = [title, detail].filter(Boolean).join(' ') || said.network;
      take.disabled = false;
    }
  });
}

/** @param {HTMLVideoElement} video @returns {Promise<Blob>} */
async function frame(video) {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [WIDTH, HEIGHT];
  const { x, y, w, h } = cut(video.videoWidth, video.videoHeight);
  canvas.getContext('2d')?.drawImage(video, x, y, w, h, 0, 0, WIDTH, HEIGHT);
  return new Promise((done, failed) => {
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new TypeError('no picture'))), 'image/jpeg', QUALITY);
  });
}
