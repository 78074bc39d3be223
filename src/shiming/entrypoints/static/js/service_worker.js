// @ts-check
// Keeps style sheets, scripts and pictures, which never change under their address. Never a page, never the API:
// what is about a person stays nowhere but in the tab that shows it.

const KEPT = "shiming-static";
const VERSION = /^\/static\/([0-9a-f]{16})\//;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const found = VERSION.exec(url.pathname);
  if (event.request.method !== "GET" || url.origin !== self.location.origin || !found) return;
  event.respondWith(kept(event.request, found[1]));
});

/**
 * Answer from what is kept, or fetch and keep; files of other versions are dropped then.
 * @param {Request} request
 * @param {string} version
 */
async function kept(request, version) {
  const cache = await caches.open(KEPT);
  const found = await cache.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok && answer.headers.get("cache-control")?.includes("immutable")) {
    await cache.put(request, answer.clone());
    for (const old of await cache.keys()) {
      if (VERSION.exec(new URL(old.url).pathname)?.[1] !== version) await cache.delete(old);
    }
  }
  return answer;
}
