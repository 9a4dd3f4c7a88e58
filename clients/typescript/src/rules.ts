// What an outbox does with what became of a letter.
import { ruleOf, type Rule } from "./generated/lib/rules";
import { Problem, Unreachable } from "./problem";

export { pauseSeconds, type Rule } from "./generated/lib/rules";

/** What to do after the `attempts`-th try of a letter has ended by `error`. */
export function ruleFor(error: unknown, attempts: number, random: () => number = Math.random): Rule {
  if (error instanceof Unreachable) return ruleOf(null, attempts, random);
  if (!(error instanceof Problem)) throw error;
  return ruleOf(error, attempts, random);
}
