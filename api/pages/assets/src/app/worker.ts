// The service worker: keeps the app's shell for offline use and sends waiting feedback in the background.
// Answers of /api are never cached: they are personal.
import type english from "../words/en.json";
import { DOWNLOADS, ENCODERS } from "./downloads";
import { deliver } from "./outbox";
import { keepOn } from "./push";
import { keepShared, shownLanguage, token } from "./store";

declare const self: ServiceWorkerGlobalScope;
declare const SHELL: string[];
declare const SHELL_VERSION: string;
/** What this build may have put into `DOWNLOADS`. */
declare const ON_DEMAND: string[];
type PushKey = Extract<keyof typeof english, `push.${string}`>;
/** Language -> what a notification says. Put in by the build. */
declare const PUSH_WORDS: Record<string, Record<PushKey, string>>;

const PAGE = "/app";
const MANIFEST = "/app/manifest.webmanifest";
const SHARE = "/app/share";
const ICON = SHELL.find((file) => file.includes("icon-192")) ?? "";
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
      .then((names) => Promise.all(names.filter((name) => ![cacheName, DOWNLOADS, ENCODERS].includes(name)).map((name) => caches.delete(name))))
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

/** What the server sends: no text, so that a locked screen and the push service tell nobody anything. */
interface Wake {
  kind: "warning" | "news";
}

self.addEventListener("push", (event) => event.waitUntil(showNews(event.data)));

async function showNews(data: PushMessageData | null): Promise<void> {
  const language = (await shownLanguage.read().catch(() => undefined)) ?? "en";
  const words = PUSH_WORDS[language] ?? (PUSH_WORDS.en as Record<PushKey, string>);
  const warns = kindOf(data) === "warning";
  // Several of one kind are one notification: the inbox has them all.
  await self.registration.showNotification(words[warns ? "push.warning" : "push.news"], {
    body: words[warns ? "push.warningBody" : "push.newsBody"],
    tag: warns ? "warning" : "news",
    lang: language,
    dir: language === "ar" ? "rtl" : "ltr",
    icon: ICON,
    badge: ICON,
  });
  for (const page of await pages()) page.postMessage("news");
}

function kindOf(data: PushMessageData | null): Wake["kind"] {
  try {
    return (data?.json() as Wake | undefined)?.kind === "warning" ? "warning" : "news";
  } catch {
    return "news";
  }
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openInbox());
});

/** Show the inbox: in a page that is open, else in a new one. */
async function openInbox(): Promise<void> {
  const [page] = await pages();
  if (page === undefined) return void (await self.clients.openWindow(PAGE));
  page.postMessage("inbox");
  await page.focus();
}

async function pages(): Promise<readonly WindowClient[]> {
  const open = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  return open.filter((page) => new URL(page.url).pathname === PAGE);
}

// The browser has changed the subscription by itself.
self.addEventListener("pushsubscriptionchange" as "message", (event) => {
  const renew = async (): Promise<void> => {
    const bearer = await token.read();
    if (bearer !== undefined) await keepOn(bearer, self.registration);
  };
  (event as unknown as ExtendableEvent).waitUntil(renew());
});

interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}

// Background Sync (where the browser has it): the network is back, though no page may be open.
self.addEventListener("sync" as "message", (event) => {
  const sync = event as unknown as SyncEvent;
  if (sync.tag === "feedback") sync.waitUntil(deliver());
});
