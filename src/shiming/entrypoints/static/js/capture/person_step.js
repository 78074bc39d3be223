// @ts-check
/** The page on which a person answers a challenge: prompts, recording, digits, decision. */

import { Problem, csrfToken, say, send, signedFetch, texts } from '../page.js';
import { CameraProblem, looksAtPerson, offerCameras, openCamera, whenEnded } from './camera.js';
import { CapturePage } from './capture_page.js';
import { openStore } from './chunk_store.js';
import { Interrupted, LiveClip } from './live_clip.js';
import { listReasons, part } from './panels.js';
import { clock, schedule, secondsLeft } from './prompt_schedule.js';
import { Speaker } from './speech.js';
import { TappedDigits } from './tapped_digits.js';
import { Upload, UploadAborted, UploadRefused, UploadStalled, pageRequest } from './upload.js';
import { bareType, chooseSize, chooseType } from './video_size.js';

const LOST_FRAMES = 'CLIP_CUT';
const WITHOUT_UPLOADS = new Set([404, 405, 501]); // a server that takes whole clips only

class PersonStep extends CapturePage {
  deviceId = '';
  measured = 0; // bits a second, of the last upload
  starved = 0; // clips in which this device lost frames
  /** @type {Upload | null} */
  upload = null;
  /** @type {LiveClip | null} */
  clip = null;
  /** @type {any} */
  challenge = null;
  clockAhead = 0; // milliseconds that the server's clock is before ours
  expiry = 0;

  /** @param {HTMLElement} root */
  constructor(root) {
    super(root);
    this.texts = texts();
    this.type = chooseType((type) => 'MediaRecorder' in globalThis && MediaRecorder.isTypeSupported(type));
    this.video = part(root, '[data-video]', HTMLVideoElement);
    this.ring = part(root, '[data-ring]', SVGElement);
    this.choice = part(root, '[data-cameras]', HTMLSelectElement);
    this.digitsLanguage = root.querySelector('[data-digits-language]');
    this.speaker = new Speaker(root.dataset.language ?? 'en');
    this.keypad = new TappedDigits(part(root, '[data-keypad]', HTMLElement));
    this.#wire();
  }

  #wire() {
    const spoken = part(this.root, '[data-spoken]', HTMLInputElement);
    spoken.checked = this.speaker.wanted;
    spoken.addEventListener('change', () => this.speaker.switch(spoken.checked));
    this.speaker.whenVoices(() => {
      part(this.root, '[data-spoken-row]', HTMLElement).hidden = !this.speaker.voice;
    });
    this.choice.addEventListener('change', () => {
      this.deviceId = this.choice.value;
      void this.open();
    });
    this.panels.listen({
      open: () => this.open(),
      ready: () => this.attempt(),
      stop: () => this.clip?.interrupt('stopped'),
      document: () => this.leave(this.root.dataset.documentUrl),
    });
    document.addEventListener('visibilitychange', () => document.hidden && this.clip?.interrupt('hidden'));
    globalThis.screen?.orientation?.addEventListener?.('change', () => this.clip?.interrupt('turned'));
    globalThis.addEventListener('beforeunload', (event) => {
      if (this.panels.state === 'sending' && !navigator.onLine) event.preventDefault();
    });
  }

  get wantsSound() {
    return this.root.dataset.digitsMode === 'spoken';
  }

  async begin() {
    this.store = await openStore();
    const left = await this.store.find(this.key).catch(() => null);
    const kept = /** @type {any} */ (left?.held.about);
    if (left && left.held.complete && kept?.challenge && secondsLeft(kept.challenge.expires_at, Date.now()) > 0) {
      await this.goOn(left, kept);
      return;
    }
    if (left) await this.store.drop(this.key);
    if (!this.type) this.panels.show('unsupported');
    else this.panels.show(Number(this.root.dataset.left) > 0 ? 'intro' : 'used_up');
  }

  get key() {
    return `clip ${this.root.dataset.session}`;
  }

  release() {
    this.clip?.interrupt('hidden');
    this.speaker.stop();
    super.release();
    this.video.srcObject = null;
  }

  async open() {
    super.release();
    this.panels.show('opening');
    const size = this.size();
    try {
      const { deviceId, wantsSound: sound } = this;
      this.stream = await openCamera({ ...size, facing: 'user', deviceId, sound });
    } catch (fault) {
      this.failed(fault, () => this.open());
      return;
    }
    whenEnded(this.stream, () => {
      if (this.clip) this.clip.interrupt('ended');
      else if (this.stream) this.failed(new CameraProblem('ended'), () => this.open());
    });
    this.root.dataset.mirror = looksAtPerson(this.stream, 'user') ? 'yes' : 'no';
    this.video.srcObject = this.stream;
    await this.video.play().catch(() => {});
    await offerCameras(this.choice, part(this.root, '[data-cameras-row]', HTMLElement), this.stream);
    this.panels.show('positioning');
    this.speaker.say(this.texts.positioning);
  }

  size() {
    return chooseSize(/** @type {any} */ (navigator).connection, this.measured, this.starved);
  }

  /** One attempt: a challenge, its recording, the upload, the decision. It counts when the clip is handed in. */
  async attempt() {
    if (!this.stream) {
      await this.open();
      return;
    }
    this.panels.show('drawing');
    try {
      const stamp = this.stamp();
      await this.draw();
      await this.record(await stamp);
    } catch (fault) {
      await this.stopped(fault);
      return;
    }
    await this.handIn();
  }

  async draw() {
    const language = this.digitsLanguage instanceof HTMLSelectElement ? this.digitsLanguage.value : 'cmn';
    const answer = await send('POST', `${this.base}/challenges`, { language });
    this.challenge = await answer.json();
    this.clockAhead = Date.parse(this.challenge.drawn_at) - Date.now();
    clearInterval(this.expiry);
    this.expiry = window.setInterval(() => this.showTimeLeft(), 1000);
    this.showTimeLeft();
  }

  get timeLeft() {
    return secondsLeft(this.challenge.expires_at, Date.now() + this.clockAhead);
  }

  showTimeLeft() {
    this.panels.fill({ time_left: clock(this.timeLeft) });
  }

  /** @param {Record<string, string>} stamp */
  async record(stamp) {
    const { challenge, stream } = this;
    if (!stream) throw new Interrupted('ended');
    const spoken = this.speaker.speaks;
    const plan = schedule(challenge, Number(this.root.dataset.stepSeconds), spoken);
    const filetype = bareType(this.type);
    this.upload = this.newUpload({ kind: 'clip', filetype, challenge: challenge.id, ...stamp });
    const upload = this.upload;
    this.clip = new LiveClip(stream, this.type, this.size());
    part(this.root, '[data-digits]', HTMLElement).textContent = challenge.digits;
    this.panels.show('recording', { attempts: this.root.dataset.left ?? '' });
    const prompts_s = await this.clip.record(plan, {
      piece: (piece) => upload.add(piece),
      prompt: (prompt) => this.prompt(prompt, spoken),
      tick: (seconds) => this.ring.setAttribute('stroke-dasharray', `${((100 * seconds) / plan.end).toFixed(1)} 100`),
    });
    this.clip = null;
    this.challenge = { ...challenge, prompts_s };
    this.release();
  }

  /**
   * @param {import('./prompt_schedule.js').Prompt} prompt
   * @param {boolean} spoken
   */
  prompt(prompt, spoken) {
    const { challenge } = this;
    const gesture = challenge.steps.find((/** @type {any} */ step) => step.gesture === prompt.name);
    const words = { prepare: this.texts.prepare, listen: this.texts.listen, digits: challenge.digits_instruction[this.language] };
    const text = gesture ? gesture.instruction[this.language] : (words[/** @type {'digits'} */ (prompt.kind)] ?? '');
    this.root.dataset.prompt = prompt.name;
    this.panels.fill({ prompt: text });
    say(text);
    // our own voice must not be heard where the person's is listened for
    for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = !spoken || prompt.kind === 'digits';
    if (prompt.kind === 'digits') this.speaker.stop();
    else this.speaker.say(prompt.kind === 'listen' ? `${text} ${[...challenge.digits].join(', ')}` : text);
  }

  /** @param {Record<string, string>} metadata @param {Record<string, unknown>} [about] */
  newUpload(metadata, about = {}) {
    return new Upload({
      endpoint: `${this.base}/uploads`,
      metadata,
      about: { metadata, ...about },
      request: pageRequest(csrfToken, signedFetch),
      key: this.key,
      store: this.store,
      onProgress: (sent, total) => this.progress(sent, total),
      onState: (state) => this.root.toggleAttribute('data-waiting', state === 'waiting'),
    });
  }

  /** @param {number} sent @param {number} total */
  progress(sent, total) {
    part(this.root, '[data-progress]', HTMLProgressElement).value = total ? sent / total : 0;
  }

  /**
   * Whatever ended an attempt before it was handed in: nothing was counted.
   * @param {unknown} fault
   */
  async stopped(fault) {
    this.clip = null;
    clearInterval(this.expiry);
    await this.upload?.abort().catch(() => {});
    this.upload = null;
    if (!(fault instanceof Interrupted)) {
      this.failed(fault, () => this.open());
      return;
    }
    this.again = () => this.open();
    this.release();
    if (this.panels.state !== 'other_tab') this.panels.show(fault.why);
  }

  /** Send the rest of the clip and the digits, then ask for the decision. */
  async handIn() {
    const mode = this.challenge.digits_mode;
    const language = this.language;
    try {
      await this.upload?.note({ challenge: this.challenge });
      const sent = this.upload?.finish();
      sent?.catch(() => {}); // it is awaited below; until then somebody taps
      let tapped = '';
      if (mode === 'tapped') {
        this.panels.show('tapping');
        tapped = await this.keypad.take(this.challenge.digits, this.challenge.digits_instruction[language]);
      }
      this.panels.show('sending');
      await this.takeClip(sent);
      if (tapped) await this.takeDigits(tapped);
      await this.decide();
    } catch (fault) {
      this.handInFailed(fault);
    }
  }

  /** @param {Promise<string> | undefined} sent */
  async takeClip(sent) {
    const form = new FormData();
    form.append('challenge', JSON.stringify(this.challenge));
    form.append('digits_in', this.challenge.digits_mode === 'spoken' ? 'clip' : 'other');
    try {
      form.append('upload', (await sent) ?? '');
    } catch (fault) {
      if (!(fault instanceof UploadRefused) || !WITHOUT_UPLOADS.has(fault.response.status)) throw fault;
      form.append('clip', this.upload?.file ?? new Blob(), 'clip');
    }
    this.measured = this.upload?.measured ?? 0;
    if (this.timeLeft === 0) throw new Interrupted('late'); // handed in now it would cost an attempt
    this.panels.show('checking');
    await send('PUT', `${this.base}/clip`, form);
    clearInterval(this.expiry);
    await this.upload?.forget();
    this.upload = null;
  }

  /** @param {string} tapped */
  async takeDigits(tapped) {
    const form = new FormData();
    form.append('challenge', JSON.stringify(this.challenge));
    form.append('tapped', tapped);
    await send('PUT', `${this.base}/digits`, form);
  }

  async decide() {
    this.panels.show('checking');
    let decision;
    try {
      decision = await (await send('POST', `${this.base}/decision`, {})).json();
    } catch (fault) {
      this.failed(fault, () => this.decide());
      return;
    }
    if (decision.outcome !== 'Retry') this.leave();
    else if (decision.what === 'document') this.reasons('document_again', decision);
    else if (decision.what === 'other_route' || !decision.left) this.reasons('used_up', decision);
    else this.reasons('retry', decision);
  }

  /** @param {string} state @param {any} decision */
  reasons(state, decision) {
    this.root.dataset.left = String(decision.left ?? 0);
    if (decision.reasons?.some((/** @type {any} */ reason) => reason.code === LOST_FRAMES)) this.starved += 1;
    for (const list of this.root.querySelectorAll(`[data-state~="${state}"] [data-reasons]`)) {
      if (list instanceof HTMLElement) listReasons(list, decision.reasons ?? [], this.language);
    }
    this.panels.show(state, { attempts: decision.left ?? 0 });
  }

  /** @param {unknown} fault */
  handInFailed(fault) {
    if (fault instanceof UploadAborted) return;
    const refused = fault instanceof UploadRefused;
    if (fault instanceof Interrupted || (!refused && this.timeLeft === 0)) {
      void this.stopped(new Interrupted('late'));
      return;
    }
    if (fault instanceof UploadStalled || (fault instanceof Problem && fault.code === 'NETWORK')) {
      this.failed(new Problem({}), () => this.handIn());
      return;
    }
    if (!refused) {
      this.failed(fault, () => this.open());
      return;
    }
    void fault.response
      .json()
      .catch(() => ({ title: this.texts.refused }))
      .then((body) => this.failed(new Problem({ status: fault.response.status, code: 'UPLOAD', ...body }), () => this.open()));
  }

  /**
   * A reload in the middle of sending: go on with what was recorded.
   * @param {{held: import('./chunk_store.js').Held, pieces: Blob[]}} left
   * @param {any} about
   */
  async goOn(left, about) {
    this.challenge = about.challenge;
    this.upload = this.newUpload(about.metadata, about);
    this.upload.resumeFrom(left);
    await this.handIn();
  }
}

const root = document.querySelector('[data-capture="person"]');
if (root instanceof HTMLElement) {
  const step = new PersonStep(root);
  void step.start(() => step.begin());
}
