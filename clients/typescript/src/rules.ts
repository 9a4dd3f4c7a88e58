// What an outbox does with an answer. Pure: time and chance come from outside. docs/phone.md has the same table.
import { Problem, Unreachable } from "./problem";

export type Rule =
  /** The server will never take it: drop the letter and show the sentence. */
  | { do: "refused"; message: string }
  /** Not known here: keep everything, ask for a new token. */
  | { do: "sign-in" }
  /**
   * Keep it and try again after so long. Before that, `held` is not sent: `all` letters, this `letter` alone, or
   * `none`, as after a lost network, whose return ends the pause.
   */
  | { do: "wait"; seconds: number; held: "all" | "letter" | "none" };

const FIRST_SECONDS = 1;
const LONGEST_SECONDS = 300;
/** 4xx that say nothing against the letter: too slow (408), too early (425), too many (429). */
const PASSING = new Set([408, 425, 429]);

/**
 * Seconds to wait after `attempts` tries without success: doubling from one second up to five minutes, of which a
 * random half is kept, so that phones that lost the same server do not come back at the same moment.
 */
export function pauseSeconds(attempts: number, random: () => number = Math.random): number {
  const whole = Math.min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** Math.min(30, Math.max(0, attempts - 1)));
  return whole * (0.5 + random() / 2);
}

/** What to do after the `attempts`-th try of a letter has ended by `error`. */
export function ruleFor(error: unknown, attempts: number, random: () => number = Math.random): Rule {
  if (error instanceof Unreachable) return { do: "wait", seconds: pauseSeconds(attempts, random), held: "none" };
  if (!(error instanceof Problem)) throw error;
  if (error.status === 401) return { do: "sign-in" };
  if (error.status >= 500 || PASSING.has(error.status)) {
    const asked = error.retryAfterSeconds;
    // Never sooner than asked for, and not all at that very second.
    const seconds = asked === null ? pauseSeconds(attempts, random) : asked + random() * Math.max(1, asked / 10);
    // A fault over one letter (500) must not hold up the others.
    return { do: "wait", seconds, held: error.status === 500 ? "letter" : "all" };
  }
  return { do: "refused", message: error.message };
}
