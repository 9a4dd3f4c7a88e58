// What a platform may lack, and what is done instead; also in the npm package. Outside HTTPS and localhost a browser
// has neither crypto.randomUUID nor navigator.locks.

/** A random UUID (RFC 9562, version 4), also where `crypto.randomUUID` is missing. */
export function uuid(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

const queues = new Map<string, Promise<unknown>>();

/**
 * Run `work` while nobody else of this origin holds the lock `name`. Without the browser's locks, nobody else in this page: where they
 * are missing there is no service worker either, and a request that two pages send counts once by its key.
 */
export async function exclusively<T>(name: string, work: () => Promise<T>): Promise<T> {
  if (globalThis.navigator?.locks) return navigator.locks.request(name, work);
  const mine = (queues.get(name) ?? Promise.resolve()).then(work, work);
  queues.set(name, mine.catch(() => undefined));
  return mine;
}
