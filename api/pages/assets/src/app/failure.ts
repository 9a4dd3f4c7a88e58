// A scan that came to nothing: what happened, and in whose hands the message is.
import { NobodyHere } from "./judge";
import { explain } from "./problems";
import { Refused, Unreachable } from "./wire";
import { say, type Key } from "./words";

const SENTENCES: [(refused: Refused) => boolean, Key][] = [
  [(refused) => refused.status === 401, "failed.signedOut"],
  [(refused) => refused.status === 413, "failed.tooLarge"],
  [(refused) => refused.status === 429 || refused.slug === "overloaded", "failed.busy"],
  [(refused) => refused.status === 503, "failed.notYet"],
  [(refused) => refused.status >= 500, "failed.away"],
];

/** One sentence on why there is no answer. */
export function whyNot(error: unknown): string {
  if (error instanceof NobodyHere) return say("failed.nobodyHere");
  if (error instanceof Unreachable) return say(navigator.onLine ? "failed.away" : "failed.offline");
  // A fault of this phone, e.g. no room for the answer.
  if (!(error instanceof Refused)) return explain(error);
  const known = SENTENCES.find(([matches]) => matches(error));
  return known ? say(known[1]) : say("failed.other", { why: explain(error) });
}
