// @ts-check
/** Cameras and microphones: opening them, telling what is wrong in one word, and giving them back. */

/**
 * What can be wrong; each has a panel of the same name on the page.
 * @typedef {'insecure' | 'unsupported' | 'denied' | 'missing' | 'busy' | 'microphone_denied' |
 *   'microphone_missing' | 'ended'} CameraFault
 */

export class CameraProblem extends Error {
  /** @param {CameraFault} fault */
  constructor(fault) {
    super(fault);
    this.fault = fault;
  }
}

/**
 * @typedef {object} Wanted
 * @property {'environment' | 'user'} facing
 * @property {number} width
 * @property {number} height
 * @property {number} [framesPerSecond]
 * @property {string} [deviceId] chosen by the person
 * @property {boolean} [sound]
 */

/**
 * @param {Wanted} wanted
 * @returns {MediaStreamConstraints}
 */
export function constraints({ facing, width, height, framesPerSecond, deviceId, sound }) {
  /** @type {MediaTrackConstraints} */
  const video = { width: { ideal: width }, height: { ideal: height } };
  if (framesPerSecond) video.frameRate = { ideal: framesPerSecond, max: 30 };
  if (deviceId) video.deviceId = { exact: deviceId };
  else video.facingMode = { ideal: facing };
  const audio = { echoCancellation: true, noiseSuppression: false, autoGainControl: true, channelCount: { ideal: 1 } };
  return { video, audio: sound ? audio : false };
}

/**
 * Open what is wanted; raises CameraProblem.
 * @param {Wanted} wanted
 * @returns {Promise<MediaStream>}
 */
export async function openCamera(wanted) {
  if (!globalThis.isSecureContext) throw new CameraProblem('insecure');
  if (!navigator.mediaDevices?.getUserMedia) throw new CameraProblem('unsupported');
  try {
    return await navigator.mediaDevices.getUserMedia(constraints(wanted));
  } catch (error) {
    if (wanted.deviceId && nameOf(error) === 'OverconstrainedError') {
      return openCamera({ ...wanted, deviceId: '' }); // the chosen one was unplugged
    }
    const fault = faultOf(error);
    throw new CameraProblem(wanted.sound ? await whichOfBoth(fault, wanted) : fault);
  }
}

/**
 * The browser does not say which of the two was refused: the camera alone is tried.
 * @param {CameraFault} fault
 * @param {Wanted} wanted
 * @returns {Promise<CameraFault>}
 */
async function whichOfBoth(fault, wanted) {
  try {
    stopStream(await navigator.mediaDevices.getUserMedia(constraints({ ...wanted, sound: false })));
  } catch (error) {
    return faultOf(error);
  }
  return fault === 'denied' ? 'microphone_denied' : 'microphone_missing';
}

/**
 * @param {unknown} error
 * @returns {CameraFault}
 */
export function faultOf(error) {
  /** @type {Record<string, CameraFault>} */
  const faults = {
    NotAllowedError: 'denied',
    SecurityError: 'denied',
    PermissionDeniedError: 'denied',
    NotFoundError: 'missing',
    DevicesNotFoundError: 'missing',
    OverconstrainedError: 'missing',
    NotReadableError: 'busy',
    TrackStartError: 'busy',
    AbortError: 'busy',
  };
  return faults[nameOf(error)] ?? 'unsupported';
}

/** @param {unknown} error */
function nameOf(error) {
  return error instanceof Error || error instanceof DOMException ? error.name : '';
}

/**
 * Cameras to choose among; labels are empty until one was opened.
 * @returns {Promise<{id: string, label: string}[]>}
 */
export async function cameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return devices
    .filter((device) => device.kind === 'videoinput')
    .map((device) => ({ id: device.deviceId, label: device.label }));
}

/** Whether the picture must be shown as in a mirror: a camera that looks at whoever sits before it.
 * @param {MediaStream} stream
 * @param {'environment' | 'user'} wanted
 */
export function looksAtPerson(stream, wanted) {
  const facing = stream.getVideoTracks()[0]?.getSettings().facingMode;
  return facing ? facing === 'user' : wanted === 'user';
}

/** @param {MediaStream | null} stream */
export function stopStream(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/**
 * Say when the camera is taken away (unplugged, or permission withdrawn).
 * @param {MediaStream} stream
 * @param {() => void} ended
 */
export function whenEnded(stream, ended) {
  for (const track of stream.getTracks()) track.addEventListener('ended', ended, { once: true });
}

/**
 * Call `look` for new frames of a video, at most `timesPerSecond`, and never twice at once.
 * @param {HTMLVideoElement} video
 * @param {number} timesPerSecond
 * @param {() => void} look
 * @returns {() => void} stops it
 */
export function watchFrames(video, timesPerSecond, look) {
  let stopped = false;
  let last = -Infinity;
  const next = () => {
    if (stopped) return;
    if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(tick);
    else setTimeout(() => tick(performance.now()), 1000 / timesPerSecond);
  };
  const tick = (/** @type {number} */ now) => {
    if (stopped) return;
    if (now - last >= 1000 / timesPerSecond) {
      last = now;
      look();
    }
    next();
  };
  next();
  return () => {
    stopped = true;
  };
}

/**
 * Fill a select with cameras and show it only if there is a choice.
 * @param {HTMLSelectElement} select
 * @param {HTMLElement} row
 * @param {MediaStream} stream
 */
export async function offerCameras(select, row, stream) {
  const found = await cameras();
  const now = stream.getVideoTracks()[0]?.getSettings().deviceId ?? '';
  const named = select.dataset.label ?? '';
  select.replaceChildren(
    ...found.map(({ id, label }, i) => new Option(label || `${named} ${i + 1}`, id, id === now, id === now)),
  );
  row.hidden = found.length < 2;
}
