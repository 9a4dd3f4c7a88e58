// What a browser may lack, and what is done instead. Outside HTTPS and localhost ("insecure contexts") a browser
// has neither crypto.randomUUID nor navigator.locks nor service workers; private windows may have no storage.

export { exclusively, uuid } from "./platform";

/** One row per feature that this app would like to have. `without` names the sentence that the user is told. */
const TABLE = [
  { here: () => "serviceWorker" in navigator, without: "lack.worker" },
  { here: () => "indexedDB" in globalThis && globalThis.indexedDB !== null, without: "lack.storage" },
] as const;

/** What the user has to know about this browser, as names of sentences; nothing on most. */
export function shortcomings(): (typeof TABLE)[number]["without"][] {
  return TABLE.filter((feature) => !feature.here()).map((feature) => feature.without);
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
