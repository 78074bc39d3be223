// @ts-check
/** How large a live clip may be: what the server needs at least, less of everything on a slow network. */

/** @typedef {{name: string, width: number, height: number, framesPerSecond: number, bitsPerSecond: number}} VideoSize */

/**
 * Sizes from small to large. The short side stays at 360 pixels and the rate at 15 a second or more, because
 * the packs refuse less (`clip_limits`); a face in the oval is then still 110 pixels wide.
 * @type {readonly VideoSize[]}
 */
export const SIZES = Object.freeze([
  { name: 'small', width: 480, height: 360, framesPerSecond: 15, bitsPerSecond: 350_000 },
  { name: 'medium', width: 640, height: 480, framesPerSecond: 20, bitsPerSecond: 700_000 },
  { name: 'standard', width: 640, height: 480, framesPerSecond: 25, bitsPerSecond: 1_200_000 },
]);

/** Sound: one voice, enough for spoken digits. */
export const SOUND_BITS_PER_SECOND = 48_000;

/** A clip should need no more than this share of what the network gives, so that it is there when it ends. */
const NETWORK_SHARE = 0.7;

/** Measured throughput counts only from so many bytes on: less says more about latency. */
const MEASURED_BYTES_MIN = 60_000;

const SLOW_TYPES = new Set(['slow-2g', '2g', '3g']);

/**
 * Choose by what the browser says of its connection, by what earlier uploads measured, and by what the device
 * could keep up with: a size smaller for each clip with lost frames.
 * @param {{saveData?: boolean, effectiveType?: string, downlink?: number} | undefined} connection
 * @param {number} [measured] bits a second of earlier uploads; 0: not known
 * @param {number} [starved] clips of this person in which frames were lost
 * @returns {VideoSize}
 */
export function chooseSize(connection, measured = 0, starved = 0) {
  return SIZES[Math.max(0, SIZES.indexOf(forNetwork(connection, measured)) - starved)];
}

/**
 * @param {{saveData?: boolean, effectiveType?: string, downlink?: number} | undefined} connection
 * @param {number} measured
 */
function forNetwork(connection, measured) {
  if (measured > 0) return largestWithin(measured * NETWORK_SHARE);
  if (!connection) return SIZES[SIZES.length - 1];
  if (connection.saveData || SLOW_TYPES.has(connection.effectiveType ?? '')) return SIZES[0];
  // `downlink` is rounded, capped at 10 and the other direction: uplinks have about a third of it
  return connection.downlink ? largestWithin((connection.downlink * 1e6) / 3) : SIZES[SIZES.length - 1];
}

/** @param {number} bitsPerSecond */
function largestWithin(bitsPerSecond) {
  const fitting = SIZES.filter((size) => size.bitsPerSecond + SOUND_BITS_PER_SECOND <= bitsPerSecond);
  return fitting[fitting.length - 1] ?? SIZES[0];
}

/**
 * Throughput from what was sent, in bits a second; 0 when that is too little to tell.
 * @param {number} bytes
 * @param {number} milliseconds
 */
export function throughput(bytes, milliseconds) {
  return bytes >= MEASURED_BYTES_MIN && milliseconds > 0 ? (bytes * 8000) / milliseconds : 0;
}

/** Containers in the order of preference: VP8 is the lightest to encode on a slow phone; Safari writes MP4. */
export const CLIP_TYPES = Object.freeze([
  'video/webm;codecs=vp8,opus',
  'video/webm;codecs=vp9,opus',
  'video/webm',
  'video/mp4;codecs=avc1.42E01E,mp4a.40.2',
  'video/mp4',
]);

/**
 * The first container that the browser records; '' if it records none.
 * @param {(type: string) => boolean} isSupported
 */
export function chooseType(isSupported) {
  return CLIP_TYPES.find((type) => isSupported(type)) ?? '';
}

/**
 * The container without its codecs, as it is stated when it is sent.
 * @param {string} type
 */
export function bareType(type) {
  return type.split(';')[0];
}
