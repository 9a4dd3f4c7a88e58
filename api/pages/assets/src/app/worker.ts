// The service worker: keeps the app's shell for offline use and sends waiting feedback in the background.
// Answers of /api are never cached: they are personal.
import { deliver } from "./outbox";

declare const self: ServiceWorkerGlobalScope;
declare const SHELL: string[];
declare const SHELL_VERSION: string;

const PAGE = "/app";
const MANIFEST = "/app/manifest.webmanifest";
const SLOW_MILLISECONDS = 3000;
const cacheName = `shell ${SHELL_VERSION}`;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(cacheName)
      .then((cache) => cache.addAll([PAGE, MANIFEST, ...SHELL]))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== cacheName).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && url.pathname === PAGE) event.respondWith(freshPage(event.request));
  else if (SHELL.includes(url.pathname) || url.pathname === MANIFEST)
    event.respondWith(caches.match(url.pathname).then((kept) => kept ?? fetch(event.request)));
});

/** The page from the network if it comes in time, else as it was kept. */
async function freshPage(request: Request): Promise<Response> {
  try {
    return await fetch(request, { signal: AbortSignal.timeout(SLOW_MILLISECONDS) });
  } catch {
    return (await caches.match(PAGE)) ?? Response.error();
  }
}

interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}

// Background Sync (where the browser has it): the network is back, though no page may be open.
self.addEventListener("sync" as "message", (event) => {
  const sync = event as unknown as SyncEvent;
  if (sync.tag === "feedback") sync.waitUntil(deliver());
});
