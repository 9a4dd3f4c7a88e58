// What went wrong, in the reader's language. The server's own sentences are English and meant for developers: none of
// them is shown, and no browser's either.
import { REFUSALS } from "./refusals";
import { say } from "./words";
import { Refused, Unreachable } from "./wire";

/** The sentence on a refusal, by its slug; by its status where a newer server names one that is not known here. */
export function whyRefused({ slug = "", status }: { slug?: string; status?: number }): string {
  const known = Object.hasOwn(REFUSALS, slug) ? REFUSALS[slug] : undefined;
  if (known) return say(known);
  if (status !== undefined && status >= 500) return say("error.server");
  return say("error.unknown", { status: String(status ?? (slug || "?")) });
}

/** One sentence for people on any error. */
export function explain(error: unknown): string {
  if (error instanceof Unreachable) return say("error.offline");
  if (error instanceof Refused) return whyRefused(error);
  if (error instanceof Told) return error.message;
  // What it was is for whoever looks into the browser's console.
  console.warn(error);
  return say(error instanceof DOMException && error.name === "QuotaExceededError" ? "error.full" : "error.here");
}

/** Carries a sentence that was made for people, to where errors are shown. */
export class Told extends Error {}
