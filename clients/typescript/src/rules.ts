// What an outbox does with what became of a letter.
import { ruleOf, type Answered, type Rule } from "./generated/lib/rules";
import { Problem, Unreachable } from "./problem";

export { pauseSeconds, type Rule } from "./generated/lib/rules";

/** What the server has answered where a call failed by `error`; null: nothing. Throws what is no answer. */
export function answered(error: unknown): Answered {
  if (error instanceof Unreachable) return null;
  if (!(error instanceof Problem)) throw error;
  return error;
}

/** What to do after the `attempts`-th try of a letter has ended by `error`. */
export function ruleFor(error: unknown, attempts: number, random: () => number = Math.random): Rule {
  return ruleOf(answered(error), attempts, random);
}
