// @ts-check
/** The page on which a document is photographed: front, back, sent together. */

import { say, send, texts } from '../page.js';
import { CameraProblem, offerCameras, openCamera, watchFrames, whenEnded } from './camera.js';
import { CapturePage } from './capture_page.js';
import * as guidance from './document_guidance.js';
import { part } from './panels.js';

const WIDTH = 1920; // a card across 84 % of it has 480 dots an inch: small print is read at 300
const HEIGHT = 1440;
const LOOKS_PER_SECOND = 6; // a slow phone needs 30 ms for one
const JPEG_QUALITY = 0.92;
const BOX_RATIO = 4 / 3; // of the stage (capture.css)

class DocumentStep extends CapturePage {
  /** @type {Map<string, Blob>} */
  shots = new Map();
  side = 'front';
  deviceId = '';
  steadied = guidance.NOTHING_YET;
  /** @type {guidance.Grey | null} */
  before = null;
  stopLooking = () => {};

  /** @param {HTMLElement} root */
  constructor(root) {
    super(root);
    this.texts = texts();
    this.video = part(root, '[data-video]', HTMLVideoElement);
    this.preview = part(root, '[data-preview]', HTMLCanvasElement);
    this.advice = part(root, '[data-advice]', HTMLElement);
    this.automatic = part(root, '[data-automatic]', HTMLInputElement);
    this.choice = part(root, '[data-cameras]', HTMLSelectElement);
    this.choice.addEventListener('change', () => {
      this.deviceId = this.choice.value;
      void this.open();
    });
    this.small = document.createElement('canvas');
    // a card reader beside the page may have given what is asked for here
    document.addEventListener('reader:read', async () => (await this.given('document')) && this.leave());
    this.panels.listen({
      open: () => this.open(),
      shoot: () => this.shoot(),
      use: () => this.use(),
      retake: () => this.open(),
      'retake-all': () => this.restart(),
      'skip-back': () => this.submit(),
      resend: () => this.submit(),
    });
  }

  async begin() {
    if (this.root.dataset.left === '0') {
      this.panels.show('used_up');
      return;
    }
    const permission = await navigator.permissions?.query({ name: /** @type {PermissionName} */ ('camera') }).catch(() => null);
    if (permission?.state === 'granted') await this.open();
    else this.panels.show('intro');
  }

  restart() {
    this.shots.clear();
    this.side = 'front';
    return this.open();
  }

  release() {
    this.stopLooking();
    super.release();
    this.video.srcObject = null;
  }

  async open() {
    this.release();
    this.panels.show('opening');
    try {
      const { deviceId } = this;
      this.stream = await openCamera({ facing: 'environment', width: WIDTH, height: HEIGHT, deviceId });
    } catch (fault) {
      this.failed(fault, () => this.open());
      return;
    }
    whenEnded(this.stream, () => this.stream && this.failed(new CameraProblem('ended'), () => this.open()));
    this.video.srcObject = this.stream;
    await this.video.play().catch(() => {});
    await offerCameras(this.choice, part(this.root, '[data-cameras-row]', HTMLElement), this.stream);
    this.steadied = guidance.NOTHING_YET;
    this.before = null;
    this.root.dataset.side = this.side;
    this.panels.show(`framing_${this.side}`);
    this.stopLooking = watchFrames(this.video, LOOKS_PER_SECOND, () => this.look());
  }

  look() {
    if (!this.video.videoWidth || document.hidden) return;
    const seen = this.findings();
    this.steadied = guidance.steady(this.steadied, guidance.advice(seen));
    const { shown, shoot } = this.steadied;
    if (this.advice.dataset.code !== shown) {
      this.advice.dataset.code = shown;
      this.advice.textContent = this.texts[shown] ?? '';
      say(this.advice.textContent);
    }
    for (const [name, side] of Object.entries(seen.sides)) this.root.toggleAttribute(`data-edge-${name}`, side.found);
    if (shoot && this.automatic.checked) void this.shoot();
  }

  /** @returns {guidance.Findings} */
  findings() {
    const { videoWidth, videoHeight } = this.video;
    const part = guidance.visiblePart(videoWidth, videoHeight, BOX_RATIO);
    const width = guidance.ANALYSIS_WIDTH;
    const frame = this.grey(part, width, Math.round(width / BOX_RATIO));
    const card = guidance.guide(frame.width, frame.height);
    const sides = guidance.findSides(frame, card);
    const { before } = this;
    this.before = frame;
    const found = Object.values(sides).every((side) => side.found);
    const scale = guidance.scale(sides, card);
    return {
      sides,
      scale,
      cardWidth: scale * guidance.guide(part.width, part.height).width,
      brightness: guidance.brightness(frame, card),
      glareShare: guidance.glareShare(frame, card),
      movement: guidance.movement(frame, before, card),
      sharpness: found ? guidance.sharpness(this.cardOf(part)) : 0, // the dearest one, asked for last
    };
  }

  /**
   * The card alone, as wide as the server's measure of sharpness is made for.
   * @param {guidance.Rectangle} part
   */
  cardOf(part) {
    const card = guidance.guide(part.width, part.height);
    const where = { ...card, x: part.x + card.x, y: part.y + card.y };
    const width = guidance.SHARPNESS_WIDTH;
    return this.grey(where, width, Math.round(width / guidance.CARD_RATIO));
  }

  /**
   * @param {guidance.Rectangle} part
   * @param {number} width
   * @param {number} height
   */
  grey(part, width, height) {
    if (this.small.width !== width || this.small.height !== height) Object.assign(this.small, { width, height });
    const context = this.small.getContext('2d', { willReadFrequently: true });
    if (!context) return { pixels: new Uint8ClampedArray(width * height), width, height };
    context.drawImage(this.video, part.x, part.y, part.width, part.height, 0, 0, width, height);
    return guidance.grey(context.getImageData(0, 0, width, height).data, width, height);
  }

  /** Keep the whole picture: the server looks at the edges of the card, and at what is around them. */
  async shoot() {
    if (!this.stream || !this.video.videoWidth) return;
    this.stopLooking();
    const { videoWidth, videoHeight } = this.video;
    Object.assign(this.preview, { width: videoWidth, height: videoHeight });
    this.preview.getContext('2d')?.drawImage(this.video, 0, 0);
    const shot = await new Promise((resolve) => this.preview.toBlob(resolve, 'image/jpeg', JPEG_QUALITY));
    if (!(shot instanceof Blob)) {
      await this.open();
      return;
    }
    this.shots.set(this.side, shot);
    this.release();
    this.panels.show('review', { side: this.texts[this.side] ?? '' });
  }

  async use() {
    if (this.side === 'front' && this.root.dataset.back) {
      this.side = 'back';
      await this.open();
    } else {
      await this.submit();
    }
  }

  async submit() {
    this.release();
    this.panels.show('sending');
    const form = new FormData();
    for (const [side, shot] of this.shots) form.append(side, shot, `${side}.jpg`);
    try {
      await send('PUT', `${this.base}/document`, form);
      this.leave();
    } catch (fault) {
      this.failed(fault, () => this.submit());
    }
  }
}

const root = document.querySelector('[data-capture="document"]');
if (root instanceof HTMLElement) {
  const step = new DocumentStep(root);
  void step.start(() => step.begin());
}
