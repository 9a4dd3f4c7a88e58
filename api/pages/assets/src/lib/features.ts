// What a browser may lack, and what is done instead. Outside HTTPS and localhost ("insecure contexts") a browser
// has neither crypto.randomUUID nor navigator.locks nor service workers; private windows may have no storage.

/** One row per feature that this app would like to have. `without` names the sentence that the user is told. */
const TABLE = [
  { here: () => "serviceWorker" in navigator, without: "lack.worker" },
  { here: () => "indexedDB" in globalThis && globalThis.indexedDB !== null, without: "lack.storage" },
] as const;

/** What the user has to know about this browser, as names of sentences; nothing on most. */
export function shortcomings(): (typeof TABLE)[number]["without"][] {
  return TABLE.filter((feature) => !feature.here()).map((feature) => feature.without);
}

/** A random UUID (RFC 9562, version 4), also where `crypto.randomUUID` is missing. */
export function uuid(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

const last = new Map<string, Promise<unknown>>();

/**
 * Run `work` while nobody else holds the lock `name`. Without the browser's locks this page alone is kept in order, name by name; where
 * they are missing there is no service worker either, and a letter that two pages send counts once by its key.
 */
export async function exclusively<T>(name: string, work: () => Promise<T>): Promise<T> {
  if (navigator.locks) return navigator.locks.request(name, work);
  const mine = (last.get(name) ?? Promise.resolve()).then(work);
  last.set(name, mine.catch(() => undefined));
  return mine;
}

/** Messages between pages of this app; where there is no channel, a page hears only itself. */
export function openChannel(name: string): Pick<BroadcastChannel, "postMessage" | "addEventListener"> {
  if (typeof BroadcastChannel === "function") return new BroadcastChannel(name);
  return { postMessage: () => undefined, addEventListener: () => undefined };
}

/** A signal that gives up after `milliseconds`. */
export function patience(milliseconds: number): AbortSignal {
  if (typeof AbortSignal.timeout === "function") return AbortSignal.timeout(milliseconds);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), milliseconds);
  return controller.signal;
}
