// The service worker: keeps the app's shell for offline use and sends waiting feedback in the background.
// Answers of /api are never cached: they are personal.
import { DOWNLOADS } from "./downloads";
import { deliver } from "./outbox";
import { keepShared } from "./store";

declare const self: ServiceWorkerGlobalScope;
declare const SHELL: string[];
declare const SHELL_VERSION: string;
/** What this build may have put into `DOWNLOADS`. */
declare const ON_DEMAND: string[];

const PAGE = "/app";
const MANIFEST = "/app/manifest.webmanifest";
const SHARE = "/app/share";
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
      .then((names) => Promise.all(names.filter((name) => name !== cacheName && name !== DOWNLOADS).map((name) => caches.delete(name))))
      .then(forgetOldDownloads)
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method === "POST" && url.pathname === SHARE) return event.respondWith(takeShared(event.request));
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && url.pathname === PAGE) event.respondWith(freshPage(event.request));
  else if ([...SHELL, ...ON_DEMAND].includes(url.pathname) || url.pathname === MANIFEST)
    event.respondWith(caches.match(url.pathname).then((kept) => kept ?? fetch(event.request)));
});

async function forgetOldDownloads(): Promise<void> {
  if (!(await caches.has(DOWNLOADS))) return;
  const cache = await caches.open(DOWNLOADS);
  for (const request of await cache.keys()) if (!ON_DEMAND.includes(new URL(request.url).pathname)) await cache.delete(request);
}

/** A message shared from another app: kept on the phone, put into the field by the page. */
async function takeShared(request: Request): Promise<Response> {
  const form = await request.formData();
  const file = form.get("file");
  if (file instanceof File && file.size > 0) {
    await keepShared(file);
    return Response.redirect(PAGE, 303);
  }
  const parts = ["title", "text", "url"].map((name) => String(form.get(name) ?? "").trim()).filter(Boolean);
  await keepShared([...new Set(parts)].join("\n"));
  return Response.redirect(PAGE, 303);
}

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
