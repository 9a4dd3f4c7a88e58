// What an outbox does with an answer; also in the npm package. Pure: time and chance come from outside. docs/phone.md
// has the same table.

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

/** What the API answered; null: nothing, or something else answered in its place. */
export type Answered = { status: number; message: string; retryAfterSeconds: number | null } | null;

/** Whatever a server asks for: longer than a day nobody waits, and a longer pause was reckoned by a clock that was wrong. */
export const LONGEST_HOLD_SECONDS = 86_400;
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

/** What to do after the `attempts`-th try of a letter was answered so. */
export function ruleOf(answered: Answered, attempts: number, random: () => number = Math.random): Rule {
  if (answered === null) return { do: "wait", seconds: pauseSeconds(attempts, random), held: "none" };
  const { status, message, retryAfterSeconds: asked } = answered;
  if (status === 401) return { do: "sign-in" };
  if (status >= 500 || PASSING.has(status)) {
    // Never sooner than asked for, and not all at that very second.
    const seconds = asked === null ? pauseSeconds(attempts, random) : Math.min(LONGEST_HOLD_SECONDS, asked + random() * Math.max(1, asked / 10));
    // A fault over one letter (500) must not hold up the others.
    return { do: "wait", seconds, held: status === 500 ? "letter" : "all" };
  }
  return { do: "refused", message };
}

/** Read `Retry-After`: seconds, or a date (RFC 9110, 10.2.3). Null where there is none that makes sense. */
export function retryAfterSeconds(header: string | null, now: number): number | null {
  if (header === null || header.trim() === "") return null;
  const seconds = Number(header);
  const wait = Number.isFinite(seconds) ? seconds : (Date.parse(header) - now) / 1000;
  return Number.isFinite(wait) && wait >= 0 ? Math.ceil(wait) : null;
}
