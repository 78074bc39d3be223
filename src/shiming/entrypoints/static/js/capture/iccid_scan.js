// @ts-check
/** Reads the number of a SIM card into a field of a form: frames go to the server until it sees a barcode. */

import { Problem, say, send } from '../page.js';
import { offerCameras, openCamera, stopStream } from './camera.js';
import { Panels, part } from './panels.js';

const WIDTH = 1280; // bars of a card that fills half of it are three pixels wide
const HEIGHT = 720;
const EVERY_MS = 450;
const TRIES_MAX = 60; // about half a minute: then typing is quicker
const JPEG_QUALITY = 0.85;

class IccidScan {
  deviceId = '';
  /** @type {MediaStream | null} */
  stream = null;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.panels = new Panels(root);
    this.video = part(root, '[data-video]', HTMLVideoElement);
    this.choice = part(root, '[data-cameras]', HTMLSelectElement);
    this.canvas = document.createElement('canvas');
    this.choice.addEventListener('change', () => {
      this.deviceId = this.choice.value;
      void this.scan();
    });
    this.panels.listen({ scan: () => this.scan(), 'stop-scan': () => this.stop('idle') });
    globalThis.addEventListener('pagehide', () => this.stop('idle'));
    document.addEventListener('visibilitychange', () => document.hidden && this.stream && this.stop('idle'));
    root.hidden = false;
  }

  /** @param {string} state */
  stop(state) {
    stopStream(this.stream);
    this.stream = null;
    this.video.srcObject = null;
    this.panels.show(state);
  }

  async scan() {
    stopStream(this.stream);
    try {
      const { deviceId } = this;
      this.stream = await openCamera({ facing: 'environment', width: WIDTH, height: HEIGHT, deviceId });
    } catch {
      this.stop('no_camera');
      return;
    }
    const { stream } = this;
    this.video.srcObject = stream;
    this.panels.show('scanning');
    await this.video.play().catch(() => {});
    await offerCameras(this.choice, part(this.root, '[data-cameras-row]', HTMLElement), stream);
    try {
      await this.look(stream);
    } catch (fault) {
      this.stop(fault instanceof Problem && fault.code !== 'NETWORK' ? 'nothing' : 'no_network');
    }
  }

  /** @param {MediaStream} stream until this one is replaced or stopped */
  async look(stream) {
    for (let tries = 0; tries < TRIES_MAX && this.stream === stream; tries += 1) {
      const began = performance.now();
      const iccid = await this.read();
      if (this.stream !== stream) return;
      if (iccid) {
        this.fill(iccid);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, EVERY_MS - (performance.now() - began))));
    }
    if (this.stream === stream) this.stop('nothing');
  }

  /** @returns {Promise<string | null>} */
  async read() {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width) return null;
    Object.assign(this.canvas, { width, height });
    this.canvas.getContext('2d')?.drawImage(this.video, 0, 0);
    const picture = await new Promise((resolve) => this.canvas.toBlob(resolve, 'image/jpeg', JPEG_QUALITY));
    const form = new FormData();
    form.append('picture', picture, 'card.jpg');
    return (await (await send('POST', '/v1/sims/scans', form)).json()).iccid;
  }

  /** @param {string} iccid */
  fill(iccid) {
    const field = document.querySelector(`input[name="${this.root.dataset.field}"]`);
    this.stop('found');
    if (!(field instanceof HTMLInputElement)) return;
    field.value = iccid;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    field.dispatchEvent(new Event('change', { bubbles: true }));
    field.focus();
    say(this.root.querySelector('[data-state="found"]')?.textContent ?? '');
  }
}

for (const root of document.querySelectorAll('[data-iccid-scan]')) {
  if (root instanceof HTMLElement) new IccidScan(root);
}
