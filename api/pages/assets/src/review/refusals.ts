// What becomes of an item whose decision the server refused or never heard of.
import { Refused } from "../lib/send";

/** `taken`: not this reviewer's to decide. `failed`: not sent, and may be decided again. */
export type State = "scam" | "harmless" | "skipped" | "taken" | "failed";

export const WORDS: Record<State, string> = { scam: "! scam", harmless: "✓ harmless", skipped: "later", taken: "not decided", failed: "not sent" };

export interface Outcome {
  state: State;
  /** What the line of the queue says. */
  words: string;
  /** What the reviewer is told; empty when the page says it elsewhere, or nothing is wrong. */
  message: string;
  again: boolean;
  signedOut: boolean;
}

export function outcomeOf(error: Error, wanted: State, who: string): Outcome {
  const nothing = { message: "", again: false, signedOut: false };
  if (!(error instanceof Refused) || error.status >= 500 || error.status === 429)
    return { ...nothing, state: "failed", words: WORDS.failed, message: `Not sent: ${error.message} The item stays open.`, again: true };
  // Signed out, or signed in anew in another tab: a fresh page goes on.
  if (error.status === 401 || error.problem.reload === true) return { ...nothing, state: "failed", words: WORDS.failed, signedOut: true };
  const { reviewedBy, found } = error.problem;
  // The first answer got lost on its way: it is this very decision that the server tells of.
  if (reviewedBy === who && found === wanted) return { ...nothing, state: wanted, words: WORDS[wanted] };
  const words = reviewedBy ? `${String(found ?? "decided")}, says ${String(reviewedBy)}` : WORDS.taken;
  return { ...nothing, state: "taken", words, message: error.message };
}
