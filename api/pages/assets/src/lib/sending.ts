// One round of sending what waits, by the rules: the same for feedback, reports and counts, in `/app` and in the npm package. Where things are
// kept, and how they travel, comes from outside.
import { ruleOf, type Answered } from "./rules";

/** Something that waits to be sent. */
export interface Waiting {
  /** The `Idempotency-Key`: however often it is sent, the server counts it once. */
  key: string;
  /** Tries that ended without an answer that settles it. */
  attempts?: number;
  /** Not before this time (milliseconds since 1970); `all`: nor anything else. */
  hold?: { until: number; all: boolean };
}

/** How a round ended. */
export interface Round {
  sent: number;
  failed: number;
  /** The server does not know the token: ask for a new one; nothing is lost. */
  signedOut: boolean;
  /** When to try again; null where nothing waits for a pause to end. */
  retryAfterSeconds: number | null;
}

export interface Post<W extends Waiting> {
  /** All that waits, oldest first. */
  waiting(): Promise<W[]>;
  send(one: W): Promise<void>;
  /** What the server has answered where `send` failed; throws what is no answer of any server. */
  answered(error: unknown): Answered;
  /** It has arrived, or will never be taken; either way it waits no more. */
  arrived(one: W): Promise<void>;
  refused(one: W, message: string, error: unknown): Promise<void>;
  /** Write it again if it still waits: something newer may have taken its place. */
  amend(one: W): Promise<void>;
  now(): number;
  random(): number;
  /** It is being sent now; or it goes on waiting, perhaps for a token. */
  tell?(one: W, state: "sending" | "waiting" | "signed-out"): void;
}

/** Whether the server wants to be sent nothing yet, whatever is tapped meanwhile. */
export function isStopped(waiting: readonly Waiting[], now: number): boolean {
  return waiting.some(({ hold }) => hold?.all === true && hold.until > now);
}

/** Send what may be sent now, oldest first. Only one page, or worker, may do so at a time. */
export async function sendRound<W extends Waiting>(post: Post<W>): Promise<Round> {
  const result: Round = { sent: 0, failed: 0, signedOut: false, retryAfterSeconds: null };
  const begun = await post.waiting();
  if (!isStopped(begun, post.now())) {
    for (const [index, one] of begun.entries()) {
      if ((one.hold?.until ?? 0) > post.now()) continue;
      // Replaced by a newer one while others were sent: that one follows in the next round.
      if (!(await post.waiting()).some(({ key }) => key === one.key)) continue;
      if (await sendOne(post, one, result)) continue;
      for (const rest of begun.slice(index)) post.tell?.(rest, result.signedOut ? "signed-out" : "waiting");
      break;
    }
  }
  if (!result.signedOut) result.retryAfterSeconds ??= pauseOf(await post.waiting(), post.now());
  return result;
}

/** Seconds to the end of a pause of all, else to the first end of a pause of one. */
export function pauseOf(waiting: readonly Waiting[], now: number): number | null {
  const ends = (all: boolean): number[] => waiting.flatMap(({ hold }) => (hold && hold.until > now && hold.all === all ? [hold.until] : []));
  const due = isStopped(waiting, now) ? Math.max(...ends(true)) : Math.min(...ends(false));
  return Number.isFinite(due) ? (due - now) / 1000 : null;
}

/** Send one; tell whether the next one may be tried. */
async function sendOne<W extends Waiting>(post: Post<W>, one: W, result: Round): Promise<boolean> {
  post.tell?.(one, "sending");
  try {
    await post.send(one);
  } catch (error) {
    const attempts = (one.attempts ?? 0) + 1;
    const rule = ruleOf(post.answered(error), attempts, post.random);
    if (rule.do === "refused") {
      await post.refused(one, rule.message, error);
      result.failed += 1;
      return true;
    }
    if (rule.do === "sign-in") {
      result.signedOut = true;
      return false;
    }
    const { hold: _, ...kept } = one;
    const hold = { until: post.now() + 1000 * rule.seconds, all: rule.held === "all" };
    await post.amend({ ...kept, attempts, ...(rule.held === "none" ? {} : { hold }) } as W);
    if (rule.held !== "letter") {
      result.retryAfterSeconds = rule.seconds;
      return false;
    }
    post.tell?.(one, "waiting");
    return true;
  }
  await post.arrived(one);
  result.sent += 1;
  return true;
}
