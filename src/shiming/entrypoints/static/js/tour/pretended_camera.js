// @ts-check
/**
 * A camera for visitors of the tour who have none, or have a card that was made for them: it shows a specimen
 * card where a page asks for a document, and the recorded specimen person where it asks for somebody.
 *
 * A classic script, first in the page, so that the pages find it in the place of the browser's own camera. Only
 * the tour's server gives it out. The person reacts to what the page asks (`data-prompt`), as people do.
 */
(() => {
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const media = navigator.mediaDevices;
  if (!media) return;

  const DOCUMENT = { width: 1600, height: 1200 };
  const PERSON = { width: 640, height: 480 };
  const FRAMES_PER_SECOND = 25;
  const REACTION_MS = 700; // between hearing what to do and doing it
  const NEUTRAL_S = 0.8; // the clip looks straight ahead for so long
  const NEUTRAL_FRAMES = 16;
  const EDGE_PX = 3;
  /** What the clip does when, in seconds. @type {Record<string, [number, number]>} */
  const PARTS = {
    turn_left: [1.08, 2.68],
    blink: [2.92, 3.6],
    turn_right: [3.96, 5.6],
    mouth_open: [6.0, 7.0],
    digits: [5.92, 9.6],
  };
  /** The pictures by choice of camera and what is held before it. @type {Record<string, Record<string, string>>} */
  const CARDS = {
    specimen: { front: 'front', back: 'back', sim: 'sim' },
    stranger: { front: 'other', back: 'back', sim: 'sim' },
    made_card: { front: 'made-front', back: 'made-back', sim: 'sim' },
  };
  const choice = script.dataset.camera ?? 'specimen';
  const cards = CARDS[choice] ?? CARDS.specimen;
  /** Where the card lies in each photograph: left, top, right, bottom. @type {Record<string, number[]>} */
  const boxes = JSON.parse(script.dataset.boxes ?? '{}');
  const CARD_SHARE = [0.82, 0.7]; // of the picture: a card held into the frame of the page
  const own = media.getUserMedia.bind(media);
  let shown = 'front';
  let chosen = false; // by the visitor, for this page

  media.getUserMedia = async (wanted) => {
    if (!wantsDocument(wanted)) return choice === 'made_card' ? own(wanted) : person(Boolean(wanted?.audio));
    return cardStream();
  };
  media.enumerateDevices = async () => [];

  /** A page asks for a document with the camera at the back of a phone. @param {MediaStreamConstraints | undefined} wanted */
  function wantsDocument(wanted) {
    if (!wanted || typeof wanted.video !== 'object') return !wanted?.audio;
    const facing = wanted.video.facingMode;
    return (typeof facing === 'object' && 'ideal' in facing ? facing.ideal : facing) !== 'user' && !wanted.audio;
  }

  /** What is held before the camera: what the page is at, unless the visitor chose. */
  function held() {
    if (chosen) return shown;
    const capture = /** @type {HTMLElement | null} */ (document.querySelector('[data-capture="document"]'));
    const now = capture?.dataset.now ?? '';
    if (now === 'framing_front' && shown !== 'front') press('front');
    if (now === 'framing_back' && shown !== 'back') press('back');
    if (document.querySelector('[data-iccid-scan][data-now="scanning"]')) press('sim');
    return shown;
  }

  /** @param {string} what */
  function press(what) {
    shown = what;
    for (const button of document.querySelectorAll('#tour-shown [data-show]')) {
      button.setAttribute('aria-pressed', String(/** @type {HTMLElement} */ (button).dataset.show === what));
    }
  }

  // what is held before the camera is a choice only where a page asks for it
  document.addEventListener('DOMContentLoaded', () => {
    const wanted = document.querySelector('[data-capture="document"]'); // a scan holds the SIM card by itself
    for (const part of document.querySelectorAll('[data-tour-choice]')) {
      /** @type {HTMLElement} */ (part).hidden = !wanted;
    }
  });

  document.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest('#tour-shown [data-show]') : null;
    if (button instanceof HTMLElement) {
      chosen = true;
      press(button.dataset.show ?? 'front');
    }
  });

  /** @param {string} name */
  async function picture(name) {
    return createImageBitmap(await (await fetch(`/tour/specimens/${name}`)).blob());
  }

  async function cardStream() {
    /** @type {Record<string, ImageBitmap>} */
    const pictures = {};
    const names = document.querySelector('[data-iccid-scan]') ? ['sim', 'front', 'back'] : ['front', 'back'];
    await Promise.all(names.map(async (name) => (pictures[name] = await picture(cards[name]))));
    return canvasStream(DOCUMENT, (brush) => {
      const what = held();
      const [left, top, right, bottom] = boxes[cards[pictures[what] ? what : 'front']];
      const image = pictures[what] ?? pictures.front;
      const scale = Math.min(
        (DOCUMENT.width * CARD_SHARE[0]) / (right - left),
        (DOCUMENT.height * CARD_SHARE[1]) / (bottom - top),
      );
      const x = DOCUMENT.width / 2 - (scale * (left + right)) / 2;
      const y = DOCUMENT.height / 2 - (scale * (top + bottom)) / 2;
      brush.drawImage(image, 0, 0, 40, 40, 0, 0, DOCUMENT.width, DOCUMENT.height); // more of the table
      brush.drawImage(image, x, y, image.width * scale, image.height * scale);
    });
  }

  /**
   * @param {{width: number, height: number}} size
   * @param {(brush: CanvasRenderingContext2D, seconds: number) => void} draw
   * @param {MediaStreamTrack[]} sound
   */
  function canvasStream(size, draw, sound = []) {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [size.width, size.height];
    const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    const beganAt = performance.now();
    const paint = () => draw(brush, (performance.now() - beganAt) / 1000);
    paint();
    const stream = canvas.captureStream(FRAMES_PER_SECOND);
    const timer = setInterval(() => {
      if (stream.getVideoTracks().every((track) => track.readyState === 'ended')) clearInterval(timer);
      else paint();
    }, 1000 / FRAMES_PER_SECOND);
    for (const track of sound) stream.addTrack(track);
    return stream;
  }

  /** @param {boolean} withSound */
  async function person(withSound) {
    const clip = document.createElement('video');
    clip.src = '/tour/specimens/clip';
    clip.playsInline = true;
    clip.preload = 'auto';
    clip.muted = !withSound;
    await new Promise((done, failed) => {
      clip.addEventListener('canplaythrough', done, { once: true });
      clip.addEventListener('error', () => failed(new DOMException('', 'NotReadableError')), { once: true });
      clip.load();
    });
    const neutral = await framesOf(clip);
    const sound = withSound ? await voiceOf(clip) : [];
    let playing = false;
    let asked = '';
    const stream = canvasStream(
      PERSON,
      (brush, seconds) => {
        const prompt = promptNow();
        if (prompt !== asked) {
          asked = prompt;
          if (PARTS[prompt]) setTimeout(() => act(prompt), REACTION_MS);
        }
        // to and fro through the neutral frames, and never twice quite the same
        const step = Math.floor(seconds * FRAMES_PER_SECOND) % (2 * neutral.length - 2);
        sway(brush, playing ? clip : neutral[Math.min(step, 2 * neutral.length - 2 - step)], seconds);
      },
      sound,
    );
    return stream;

    /** @param {string} name */
    async function act(name) {
      const [from, until] = PARTS[name];
      await seek(clip, from);
      await clip.play().catch(() => undefined);
      playing = true;
      const over = setInterval(() => {
        if (clip.currentTime < until && !clip.ended) return;
        clearInterval(over);
        clip.pause();
        playing = false;
      }, 15);
    }
  }

  function promptNow() {
    const capture = /** @type {HTMLElement | null} */ (document.querySelector('[data-capture="person"]'));
    return capture?.dataset.now === 'recording' ? (capture.dataset.prompt ?? '') : '';
  }

  /** @param {CanvasRenderingContext2D} brush @param {ImageBitmap | HTMLVideoElement} image @param {number} seconds */
  function sway(brush, image, seconds) {
    const wave = (/** @type {number} */ period) => Math.sin((2 * Math.PI * seconds) / period);
    const side = PERSON.height * (1.03 + 0.01 * wave(7.1));
    const x = (PERSON.width - side) / 2 + 2.5 * wave(5.3);
    const y = (PERSON.height - side) / 2 + 2 * wave(3.7);
    const [w, h] = image instanceof HTMLVideoElement ? [image.videoWidth, image.videoHeight] : [image.width, image.height];
    brush.drawImage(image, 0, 0, EDGE_PX, h, 0, y, x + 1, side); // the wall goes on at both sides
    brush.drawImage(image, w - EDGE_PX, 0, EDGE_PX, h, x + side - 1, y, PERSON.width - x - side + 1, side);
    brush.drawImage(image, x, y, side, side);
  }

  /** @param {HTMLVideoElement} clip @param {number} seconds */
  function seek(clip, seconds) {
    return new Promise((done) => {
      clip.addEventListener('seeked', done, { once: true });
      clip.currentTime = seconds;
    });
  }

  /** @param {HTMLVideoElement} clip */
  async function framesOf(clip) {
    const frames = [];
    for (let i = 0; i < NEUTRAL_FRAMES; i += 1) {
      await seek(clip, (NEUTRAL_S * (i + 0.5)) / NEUTRAL_FRAMES);
      frames.push(await createImageBitmap(clip));
    }
    return frames;
  }

  /** The clip's sound as a microphone's; nobody hears it. @param {HTMLVideoElement} clip */
  async function voiceOf(clip) {
    const context = new AudioContext();
    await context.resume();
    const microphone = context.createMediaStreamDestination();
    context.createMediaElementSource(clip).connect(microphone);
    return microphone.stream.getAudioTracks();
  }
})();
