// @ts-check
/**
 * One tab a session: two would draw two challenges and spend each other's attempts.
 *
 * The lock goes by itself when its tab is closed or crashes. A browser without locks goes on without them:
 * the server still counts every attempt once.
 */

/**
 * @param {string} session
 * @param {() => void} lost called when another tab has it, now or later
 * @returns {Promise<boolean>} whether this tab has it
 */
export function holdSession(session, lost) {
  return acquire(session, lost, { ifAvailable: true });
}

/**
 * Take it over from the other tab, which is told.
 * @param {string} session
 * @param {() => void} lost
 */
export function takeOver(session, lost) {
  return acquire(session, lost, { steal: true });
}

/**
 * @param {string} session
 * @param {() => void} lost
 * @param {LockOptions} how
 * @returns {Promise<boolean>}
 */
function acquire(session, lost, how) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    navigator.locks
      .request(`shiming-capture ${session}`, how, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : new Promise(() => {}); // held as long as the tab lives
      })
      .catch(lost);
  });
}
