// @ts-check
/** When each thing of a challenge is asked for, in seconds of the clip. Pure. */

/** @typedef {{kind: 'prepare' | 'gesture' | 'listen' | 'digits', name: string, at: number, until: number, step: number}} Prompt */
/** @typedef {{prompts: Prompt[], end: number, gestureTimes: number[]}} Schedule */

/** Named times in seconds. */
export const TIMES = Object.freeze({
  prepare: 1.5, // a still face first: what comes later is compared with it
  turnBack: 0.5, // beyond the pack's time for a step, to come back to the front
  digit: 0.9, // an unhurried reader says two digits in less than two seconds
  digitsRest: 1.2, // to take in that digits are asked for
  listenDigit: 0.7, // a browser's voice says one in about half a second
  listenRest: 2.5, // and "listen, then repeat" before
  look: 3.0, // a challenge without gestures and digits: just be there
});

/**
 * @param {{steps: {gesture: string}[], digits: string, digits_mode: string}} challenge
 * @param {number} stepSeconds what the pack gives for one gesture
 * @param {boolean} [aloud] the digits are said before they are asked for, for whoever cannot see them
 * @returns {Schedule}
 */
export function schedule(challenge, stepSeconds, aloud = false) {
  /** @type {Prompt[]} */
  const prompts = [];
  let at = 0;
  const add = (/** @type {Prompt['kind']} */ kind, /** @type {string} */ name, /** @type {number} */ seconds) => {
    prompts.push({ kind, name, at, until: at + seconds, step: prompts.length });
    at += seconds;
  };
  const silent = challenge.steps.length === 0 && challenge.digits_mode !== 'spoken';
  add('prepare', 'prepare', silent ? TIMES.look : TIMES.prepare);
  for (const step of challenge.steps) add('gesture', step.gesture, stepSeconds + TIMES.turnBack);
  if (challenge.digits_mode === 'spoken' && challenge.digits) {
    if (aloud) add('listen', 'digits', TIMES.listenRest + TIMES.listenDigit * challenge.digits.length);
    add('digits', 'digits', TIMES.digitsRest + TIMES.digit * challenge.digits.length);
  }
  const gestureTimes = prompts.filter((prompt) => prompt.kind === 'gesture').map((prompt) => prompt.at);
  return { prompts, end: at, gestureTimes };
}

/**
 * The prompt of a moment; the last one when all are over.
 * @param {Schedule} plan
 * @param {number} seconds
 */
export function promptAt(plan, seconds) {
  return plan.prompts.find((prompt) => seconds < prompt.until) ?? plan.prompts[plan.prompts.length - 1];
}

/**
 * Times as they go into the challenge: rising, in hundredths; null when a step was never asked for.
 * @param {Schedule} plan
 * @param {(number | undefined)[]} shownAt by step of the plan
 * @returns {number[] | null}
 */
export function promptTimes(plan, shownAt) {
  const times = plan.prompts.filter((prompt) => prompt.kind === 'gesture').map((prompt) => shownAt[prompt.step]);
  if (!times.length || times.some((time) => time === undefined)) return null;
  const rounded = times.map((time) => Math.round(Number(time) * 100) / 100);
  return rounded.every((time, i) => i === 0 || time > rounded[i - 1]) ? rounded : null;
}

/**
 * Seconds that a challenge still lives, never below zero.
 * @param {string} expiresAt
 * @param {number} now milliseconds of the server's clock
 */
export function secondsLeft(expiresAt, now) {
  return Math.max(0, Math.floor((Date.parse(expiresAt) - now) / 1000));
}

/**
 * `1:05`
 * @param {number} seconds
 */
export function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
