// What went wrong, in the reader's language. Where the server's own sentence is all there is, it is shown as it is.
import { say, type Key } from "./words";
import { Refused, Unreachable } from "./wire";

/** The problems that have a sentence of ours: by the slug of their problem document. */
const SENTENCES: Record<string, Key> = {
  "already-reviewed": "error.reviewed",
  conflict: "error.reviewed",
  "not-found": "error.gone",
  "rate-limited": "error.busy",
  overloaded: "error.busy",
};

/** The same for a problem that was kept with a feedback. */
export function whyRefused(problem: { slug?: string; message?: string }): string {
  const known = SENTENCES[problem.slug ?? ""];
  return known ? say(known) : (problem.message ?? say("error.server"));
}

/** One sentence for people on any error. */
export function explain(error: unknown): string {
  if (error instanceof Unreachable) return say("error.offline");
  if (!(error instanceof Refused)) return error instanceof Error ? error.message : String(error);
  if (SENTENCES[error.slug]) return whyRefused(error);
  if (error.status >= 500) return say("error.server");
  return error.message || say("error.status", { status: String(error.status) });
}
