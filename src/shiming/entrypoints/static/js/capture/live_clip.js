// @ts-check
/** Recording a clip while a schedule of prompts runs, and handing its pieces on as they come. */

import { promptAt, promptTimes } from './prompt_schedule.js';
import { SOUND_BITS_PER_SECOND } from './video_size.js';

/** Pieces of this length: small enough to be on their way at once, large enough for few requests. */
const PIECE_MS = 400;
const TICK_MS = 80;

/** Somebody or something stopped the recording; `why` names the panel that says so. */
export class Interrupted extends Error {
  /** @param {string} why */
  constructor(why) {
    super(why);
    this.why = why;
  }
}

export class LiveClip {
  /** @type {(number | undefined)[]} */
  shownAt = [];
  #interruptedBy = '';
  /** Stop it; what happens before the first frame counts too. @type {(why: string) => void} */
  interrupt = (why) => {
    this.#interruptedBy = why;
  };

  /**
   * @param {MediaStream} stream what the camera sees; a mirror shows it the other way round, the clip never
   * @param {string} type
   * @param {import('./video_size.js').VideoSize} size
   */
  constructor(stream, type, size) {
    this.stream = stream;
    this.recorder = new MediaRecorder(stream, {
      mimeType: type,
      videoBitsPerSecond: size.bitsPerSecond,
      audioBitsPerSecond: SOUND_BITS_PER_SECOND,
    });
  }

  /**
   * Record until the plan is over. Rejects with Interrupted.
   * @param {import('./prompt_schedule.js').Schedule} plan
   * @param {object} on
   * @param {(piece: Blob) => void} on.piece
   * @param {(prompt: import('./prompt_schedule.js').Prompt) => void} on.prompt
   * @param {(seconds: number) => void} on.tick
   * @returns {Promise<number[] | null>} when each gesture was asked for, in seconds of the clip
   */
  async record(plan, on) {
    const { recorder } = this;
    recorder.addEventListener('dataavailable', (event) => on.piece(event.data));
    const stopped = new Promise((resolve) => recorder.addEventListener('stop', resolve, { once: true }));
    const started = new Promise((resolve) => recorder.addEventListener('start', resolve, { once: true }));
    recorder.start(PIECE_MS);
    await started;
    try {
      await this.#run(plan, on);
    } finally {
      if (recorder.state !== 'inactive') recorder.stop();
    }
    await stopped;
    return promptTimes(plan, this.shownAt);
  }

  /**
   * @param {import('./prompt_schedule.js').Schedule} plan
   * @param {{prompt: (prompt: import('./prompt_schedule.js').Prompt) => void, tick: (seconds: number) => void}} on
   */
  #run(plan, on) {
    const beganAt = performance.now();
    let shown = -1;
    if (this.#interruptedBy) return Promise.reject(new Interrupted(this.#interruptedBy));
    return new Promise((resolve, reject) => {
      const timer = setInterval(() => {
        const seconds = (performance.now() - beganAt) / 1000;
        if (seconds >= plan.end) {
          clearInterval(timer);
          resolve(undefined);
          return;
        }
        const prompt = promptAt(plan, seconds);
        if (prompt.step !== shown) {
          shown = prompt.step;
          this.shownAt[shown] = seconds;
          on.prompt(prompt);
        }
        on.tick(seconds);
      }, TICK_MS);
      this.interrupt = (why) => {
        clearInterval(timer);
        reject(new Interrupted(why));
      };
      this.recorder.addEventListener('error', () => this.interrupt('ended'), { once: true });
    });
  }
}
