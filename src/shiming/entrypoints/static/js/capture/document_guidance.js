// @ts-check
/**
 * What to tell somebody who holds a document in front of a camera. Pure functions on small grey frames:
 * `{pixels: Uint8ClampedArray, width, height}`, rows from the top, 0 black to 255 white.
 *
 * Advice helps to take a better picture; it decides nothing. What a picture is worth the server measures.
 */

/** @typedef {{pixels: Uint8ClampedArray, width: number, height: number}} Grey */
/** @typedef {{x: number, y: number, width: number, height: number}} Rectangle */
/** @typedef {{found: boolean, outward: number}} Side `outward`: pixels beyond the guide, negative inside */
/** @typedef {{left: Side, right: Side, top: Side, bottom: Side}} Sides */
/**
 * @typedef {{sides: Sides, scale: number, cardWidth: number, brightness: number, glareShare: number, sharpness: number,
 *   movement: number}} Findings
 */

/** ISO/IEC 7810 ID-1: 85.60 mm x 53.98 mm. */
export const CARD_RATIO = 85.6 / 53.98;

/** The frame that is drawn leaves this share of the picture free, so that all four edges can be seen. */
const GUIDE_SHARE = 0.84;

/** Limits of advice, on frames of `ANALYSIS_WIDTH` (sharpness: on the card alone, `SHARPNESS_WIDTH` wide). */
export const LEVELS = Object.freeze({
  edgeStepMin: 14, // grey levels over two pixels; a pale card on a pale table gives about 20
  edgeSupportMin: 0.55, // share of the scan lines of a side that must agree: a hand may hide the rest
  searchOut: 0.11, // of the height of the guide
  searchIn: 0.26,
  scaleMin: 0.72, // smaller: come closer
  cardWidthMin: 480, // pixels of the video: what the server asks for where it gives advice
  scaleMax: 1.07, // larger: move away
  brightnessMin: 60, // the same as the server's advice (recognition/image_quality.py)
  brightnessMax: 235,
  glareShareMax: 0.02,
  saturated: 250,
  sharpnessMin: 60,
  movementMax: 4.5, // mean grey difference to the frame before; sensor noise gives 1 to 2
});

export const ANALYSIS_WIDTH = 320;
export const SHARPNESS_WIDTH = 480;
const SCAN_LINES = 24;
const CORNER_SHARE = 0.1; // corners are round: they are left out at both ends of a side
const SLANT_PX = 2; // a side may lie so much off a straight line
const PATCH_PX = 4; // glare comes in patches, white paper between print does not

/**
 * Turn RGBA into grey (ITU-R BT.601 weights, in integers).
 * @param {Uint8ClampedArray} rgba
 * @param {number} width
 * @param {number} height
 * @returns {Grey}
 */
export function grey(rgba, width, height) {
  const pixels = new Uint8ClampedArray(width * height);
  for (let i = 0, j = 0; i < pixels.length; i += 1, j += 4) {
    pixels[i] = (rgba[j] * 77 + rgba[j + 1] * 150 + rgba[j + 2] * 29) >> 8;
  }
  return { pixels, width, height };
}

/**
 * The part of a video that is seen where it covers a box (`object-fit: cover`), in pixels of the video.
 * @param {number} videoWidth
 * @param {number} videoHeight
 * @param {number} boxRatio width / height of the box
 * @returns {Rectangle}
 */
export function visiblePart(videoWidth, videoHeight, boxRatio) {
  const wide = videoWidth / videoHeight > boxRatio;
  const width = wide ? videoHeight * boxRatio : videoWidth;
  const height = wide ? videoHeight : videoWidth / boxRatio;
  return { x: (videoWidth - width) / 2, y: (videoHeight - height) / 2, width, height };
}

/**
 * The card-shaped frame in the middle of a picture.
 * @param {number} width
 * @param {number} height
 * @param {number} [ratio]
 * @returns {Rectangle}
 */
export function guide(width, height, ratio = CARD_RATIO) {
  const fitted = Math.min(width * GUIDE_SHARE, height * GUIDE_SHARE * ratio);
  return { x: (width - fitted) / 2, y: (height - fitted / ratio) / 2, width: fitted, height: fitted / ratio };
}

/**
 * Look for the four edges of a card near the guide.
 * @param {Grey} frame
 * @param {Rectangle} card
 * @returns {Sides}
 */
export function findSides(frame, card) {
  const out = card.height * LEVELS.searchOut;
  const inward = card.height * LEVELS.searchIn;
  const right = card.x + card.width;
  const bottom = card.y + card.height;
  const along = (/** @type {number} */ share) => CORNER_SHARE + (1 - 2 * CORNER_SHARE) * share;
  const rows = (/** @type {number} */ share) => card.y + card.height * along(share);
  const columns = (/** @type {number} */ share) => card.x + card.width * along(share);
  return {
    left: findSide(frame, out, inward, (share, d) => [card.x - d, rows(share)]),
    right: findSide(frame, out, inward, (share, d) => [right + d, rows(share)]),
    top: findSide(frame, out, inward, (share, d) => [columns(share), card.y - d]),
    bottom: findSide(frame, out, inward, (share, d) => [columns(share), bottom + d]),
  };
}

/**
 * Find the outermost line, parallel to one side, on which enough scan lines step from dark to light or back.
 * @param {Grey} frame
 * @param {number} out pixels searched outside of the guide
 * @param {number} inward pixels searched inside
 * @param {(share: number, outward: number) => number[]} place
 * @returns {Side}
 */
function findSide(frame, out, inward, place) {
  const first = -Math.floor(inward);
  const last = Math.floor(out);
  const steps = new Array(last - first + 1).fill(0).map(() => new Uint8Array(SCAN_LINES));
  for (let line = 0; line < SCAN_LINES; line += 1) {
    const share = line / (SCAN_LINES - 1);
    for (let d = first; d <= last; d += 1) {
      const [xa, ya] = place(share, d - 1);
      const [xb, yb] = place(share, d + 1);
      const [a, b] = [pixel(frame, xa, ya), pixel(frame, xb, yb)];
      if (a >= 0 && b >= 0 && Math.abs(a - b) >= LEVELS.edgeStepMin) steps[d - first][line] = 1;
    }
  }
  for (let d = last; d >= first; d -= 1) {
    if (support(steps, d - first) >= LEVELS.edgeSupportMin) {
      return { found: true, outward: strongest(steps, d - first) + first };
    }
  }
  return { found: false, outward: 0 };
}

/**
 * @param {Uint8Array[]} steps
 * @param {number} at
 */
function support(steps, at) {
  let lines = 0;
  for (let line = 0; line < SCAN_LINES; line += 1) {
    for (let d = Math.max(0, at - SLANT_PX); d <= Math.min(steps.length - 1, at + SLANT_PX); d += 1) {
      if (steps[d][line]) {
        lines += 1;
        break;
      }
    }
  }
  return lines / SCAN_LINES;
}

/**
 * @param {Uint8Array[]} steps
 * @param {number} at
 */
function strongest(steps, at) {
  let best = at;
  let most = -1;
  for (let d = at; d >= Math.max(0, at - 2 * SLANT_PX); d -= 1) {
    const lines = steps[d].reduce((sum, step) => sum + step, 0);
    if (lines > most) [best, most] = [d, lines];
  }
  return best;
}

/**
 * @param {Grey} frame
 * @param {number} x
 * @param {number} y
 */
function pixel(frame, x, y) {
  const [column, row] = [Math.round(x), Math.round(y)];
  if (column < 0 || row < 0 || column >= frame.width || row >= frame.height) return -1;
  return frame.pixels[row * frame.width + column];
}

/**
 * How large the card is against the guide: 1 fits, smaller is too far away. 0 where no opposite sides are seen.
 * @param {Sides} sides
 * @param {Rectangle} card
 */
export function scale(sides, card) {
  const across = sides.left.found && sides.right.found;
  const upright = sides.top.found && sides.bottom.found;
  if (across) return (card.width + sides.left.outward + sides.right.outward) / card.width;
  if (upright) return (card.height + sides.top.outward + sides.bottom.outward) / card.height;
  return 0;
}

/**
 * Mean grey inside a rectangle.
 * @param {Grey} frame
 * @param {Rectangle} card
 */
export function brightness(frame, card) {
  let sum = 0;
  let count = 0;
  eachInside(frame, card, 2, (index) => {
    sum += frame.pixels[index];
    count += 1;
  });
  return count ? sum / count : 0;
}

/**
 * Share of a rectangle that is burnt out in patches of `PATCH_PX` squared.
 * @param {Grey} frame
 * @param {Rectangle} card
 */
export function glareShare(frame, card) {
  let burnt = 0;
  let patches = 0;
  const [left, top] = [Math.max(0, Math.ceil(card.x)), Math.max(0, Math.ceil(card.y))];
  const right = Math.min(frame.width, Math.floor(card.x + card.width)) - PATCH_PX;
  const bottom = Math.min(frame.height, Math.floor(card.y + card.height)) - PATCH_PX;
  for (let y = top; y <= bottom; y += PATCH_PX) {
    for (let x = left; x <= right; x += PATCH_PX) {
      patches += 1;
      burnt += isBurnt(frame, x, y) ? 1 : 0;
    }
  }
  return patches ? burnt / patches : 0;
}

/**
 * @param {Grey} frame
 * @param {number} x
 * @param {number} y
 */
function isBurnt(frame, x, y) {
  for (let row = y; row < y + PATCH_PX; row += 1) {
    for (let column = x; column < x + PATCH_PX; column += 1) {
      if (frame.pixels[row * frame.width + column] < LEVELS.saturated) return false;
    }
  }
  return true;
}

/**
 * Variance of the Laplacian: small where nothing is sharp.
 * @param {Grey} frame
 */
export function sharpness(frame) {
  const { pixels, width, height } = frame;
  let sum = 0;
  let squares = 0;
  let count = 0;
  for (let y = 1; y < height - 1; y += 1) {
    for (let i = y * width + 1; i < (y + 1) * width - 1; i += 1) {
      const value = pixels[i - 1] + pixels[i + 1] + pixels[i - width] + pixels[i + width] - 4 * pixels[i];
      sum += value;
      squares += value * value;
      count += 1;
    }
  }
  return count ? squares / count - (sum / count) ** 2 : 0;
}

/**
 * Mean difference of two frames inside a rectangle; infinite without a frame before.
 * @param {Grey} frame
 * @param {Grey | null} before
 * @param {Rectangle} card
 */
export function movement(frame, before, card) {
  if (!before || before.width !== frame.width || before.height !== frame.height) return Infinity;
  let sum = 0;
  let count = 0;
  eachInside(frame, card, 2, (index) => {
    sum += Math.abs(frame.pixels[index] - before.pixels[index]);
    count += 1;
  });
  return count ? sum / count : Infinity;
}

/**
 * @param {Grey} frame
 * @param {Rectangle} part
 * @param {number} step
 * @param {(index: number) => void} visit
 */
function eachInside(frame, part, step, visit) {
  const bottom = Math.min(frame.height, part.y + part.height);
  const right = Math.min(frame.width, part.x + part.width);
  for (let y = Math.max(0, Math.ceil(part.y)); y < bottom; y += step) {
    for (let x = Math.max(0, Math.ceil(part.x)); x < right; x += step) visit(y * frame.width + x);
  }
}

/**
 * The one thing to say now, the most helpful first; `ready` when nothing is wrong.
 *
 * Light comes first (without it nothing else is seen), then where the card is, then how it is held.
 * @param {Findings} seen
 * @returns {'dark' | 'bright' | 'no_card' | 'further' | 'closer' | 'align' | 'glare' | 'still' | 'blurred' |
 *   'ready'}
 */
export function advice(seen) {
  const found = Object.values(seen.sides).filter((side) => side.found).length;
  if (seen.brightness < LEVELS.brightnessMin) return 'dark';
  if (seen.brightness > LEVELS.brightnessMax) return 'bright';
  if (found < 2) return 'no_card';
  if (seen.scale > LEVELS.scaleMax) return 'further';
  const small = seen.scale < LEVELS.scaleMin || seen.cardWidth < LEVELS.cardWidthMin;
  if (seen.scale > 0 && small) return 'closer';
  if (found < 4) return 'align';
  if (seen.glareShare > LEVELS.glareShareMax) return 'glare';
  if (seen.movement > LEVELS.movementMax) return 'still';
  if (seen.sharpness < LEVELS.sharpnessMin) return 'blurred';
  return 'ready';
}

/** How many frames in a row must be well before the shutter goes off by itself: about a second. */
export const READY_FRAMES = 6;

/** An advice that changes with every frame cannot be read or heard: a new one must last so long. */
export const ADVICE_FRAMES = 3;

/**
 * @typedef {{shown: string, next: string, times: number, ready: number, shoot: boolean}} Steadied
 */

/** @type {Steadied} */
export const NOTHING_YET = Object.freeze({ shown: '', next: '', times: 0, ready: 0, shoot: false });

/**
 * Take one more frame's advice in: what is shown changes only when it lasts, the shutter waits for `ready`.
 * @param {Steadied} state
 * @param {string} now
 * @returns {Steadied}
 */
export function steady(state, now) {
  const times = now === state.next ? state.times + 1 : 1;
  const ready = now === 'ready' ? state.ready + 1 : 0;
  const changes = state.shown === '' || now === 'ready' || times >= ADVICE_FRAMES;
  return { shown: changes ? now : state.shown, next: now, times, ready, shoot: ready >= READY_FRAMES };
}
