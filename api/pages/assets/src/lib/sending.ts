// One round of sending what waits, by the rules: the same for feedback, reports and counts, in `/app` and in the npm package. Where things are
// kept, and how they travel, comes from outside.
import { LONGEST_HOLD_SECONDS, ruleOf, type Answered } from "./rules";

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
  /** Nothing else may be sent now: signed out, all held, no network, or a storage that cannot be written. */
  stopped: boolean;
  /** When to try again; null where nothing waits for a pause to end. */
  retryAfterSeconds: number | null;
  /** Why the storage could not keep what became of one, e.g. as it is full. Nothing is lost: it is noted later, and not sent again. */
  unkept?: unknown;
}

export interface Post<W extends Waiting> {
  /** All that waits, oldest first. */
  waiting(): Promise<W[]>;
  /** Note that it is on its way, so that it may have arrived whatever follows. Where that cannot be written, it is not sent. */
  begin?(one: W): Promise<void>;
  send(one: W): Promise<void>;
  /** What the server has answered where `send` failed; throws what is no answer of any server. */
  answered(error: unknown): Answered;
  /** It has arrived, or will never be taken; either way it waits no more. */
  arrived(one: W): Promise<void>;
  refused(one: W, message: string, error: unknown): Promise<void>;
  /** Write it again if it still waits: something newer may have taken its place. */
  amend(one: W): Promise<void>;
  /** What a full storage has not taken. It lives as long as its page or worker does. */
  unkept: Unkept;
  now(): number;
  random(): number;
  /** It is being sent now; or it goes on waiting, perhaps for a token. */
  tell?(one: W, state: "sending" | "waiting" | "signed-out"): void;
}

/** A storage that could not be written is tried again after so long: somebody has to make room. */
export const STORAGE_SECONDS = 60;
/** Browsers take no longer time for a timer, and end it at once. */
const LONGEST_TIMER_MILLISECONDS = 2 ** 31 - 1;

/** What became of things that wait, where the storage could not be written: what is settled is not sent again, and a pause is kept. */
export class Unkept {
  /** By key: what was to be noted of one that is settled. */
  private readonly settled = new Map<string, () => Promise<void>>();
  /** By key: one as it was to be written. */
  private readonly amended = new Map<string, { one: Waiting; write: () => Promise<void> }>();

  /** What was read from the storage, as it stands; without what is settled. */
  of<W extends Waiting>(waiting: readonly W[]): W[] {
    return waiting.filter(({ key }) => !this.settled.has(key)).map((one) => (this.amended.get(one.key)?.one as W | undefined) ?? one);
  }

  /** Note what became of one; where that fails, remember to. */
  async settle(key: string, note: () => Promise<void>): Promise<void> {
    this.settled.set(key, note);
    await note();
    this.settled.delete(key);
    this.amended.delete(key);
  }

  async amend<W extends Waiting>(one: W, write: (one: W) => Promise<void>): Promise<void> {
    const amended = { one, write: () => write(one) };
    this.amended.set(one.key, amended);
    await amended.write();
    this.amended.delete(one.key);
  }

  clear(): void {
    this.settled.clear();
    this.amended.clear();
  }

  /** Whether all is written. */
  get isEmpty(): boolean {
    return this.settled.size + this.amended.size === 0;
  }

  /** Note what could not be noted before. A pause holds without being written, too: where that fails, nothing has to wait for it. */
  async catchUp(): Promise<void> {
    for (const [key, note] of [...this.settled]) await this.settle(key, note);
    for (const [key, { write }] of [...this.amended]) {
      try {
        await write();
        this.amended.delete(key);
      } catch {
        // A storage may throw at once, or reject.
      }
    }
  }
}

/** Whether it may not be sent yet. A longer pause than any is no pause: it was reckoned by a clock that was wrong. */
export function isHeld({ hold }: Waiting, now: number): boolean {
  return hold !== undefined && hold.until > now && hold.until <= now + 1000 * LONGEST_HOLD_SECONDS;
}

/** Whether the server wants to be sent nothing yet, whatever is tapped meanwhile. */
export function isStopped(waiting: readonly Waiting[], now: number): boolean {
  return waiting.some((one) => one.hold?.all === true && isHeld(one, now));
}

/** How long a timer runs until the next try. */
export function timerMilliseconds(seconds: number): number {
  return Math.min(LONGEST_TIMER_MILLISECONDS, Math.ceil(1000 * Math.max(0, seconds)));
}

/** The earlier of two times to try again. */
export function sooner(one: number | null, other: number | null): number | null {
  return one === null ? other : other === null ? one : Math.min(one, other);
}

/** Send what may be sent now, oldest first. Only one page, or worker, may do so at a time. */
export async function sendRound<W extends Waiting>(post: Post<W>): Promise<Round> {
  const result: Round = { sent: 0, failed: 0, signedOut: false, stopped: false, retryAfterSeconds: null };
  const waiting = async (): Promise<W[]> => post.unkept.of(await post.waiting());
  // What has arrived is noted before anything else goes: it must not go twice.
  if (!(await isKept(result, () => post.unkept.catchUp()))) return result;
  const begun = await waiting();
  result.stopped = isStopped(begun, post.now());
  for (const [index, one] of begun.entries()) {
    if (result.stopped) break;
    if (isHeld(one, post.now())) continue;
    // Replaced by a newer one while others were sent: that one follows in the next round.
    if (!(await waiting()).some(({ key }) => key === one.key)) continue;
    if (await sendOne(post, one, result)) continue;
    result.stopped = true;
    for (const rest of begun.slice(index)) post.tell?.(rest, result.signedOut ? "signed-out" : "waiting");
  }
  if (!result.signedOut) result.retryAfterSeconds ??= pauseOf(await waiting(), post.now());
  return result;
}

/** Write into the storage; where that fails, the round ends, and begins again when there may be room. */
async function isKept(result: Round, write: () => Promise<void>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    Object.assign(result, { unkept: error, stopped: true, retryAfterSeconds: STORAGE_SECONDS });
    return false;
  }
}

/** Seconds to the end of a pause of all, else to the first end of a pause of one. */
export function pauseOf(waiting: readonly Waiting[], now: number): number | null {
  const ends = (all: boolean): number[] => waiting.flatMap((one) => (one.hold?.all === all && isHeld(one, now) ? [one.hold.until] : []));
  const due = isStopped(waiting, now) ? Math.max(...ends(true)) : Math.min(...ends(false));
  return Number.isFinite(due) ? (due - now) / 1000 : null;
}

/** Send one; tell whether the next one may be tried. */
async function sendOne<W extends Waiting>(post: Post<W>, one: W, result: Round): Promise<boolean> {
  const begin = post.begin;
  if (begin && !(await isKept(result, () => begin(one)))) return false;
  post.tell?.(one, "sending");
  try {
    await post.send(one);
  } catch (error) {
    const attempts = (one.attempts ?? 0) + 1;
    const rule = ruleOf(post.answered(error), attempts, post.random);
    if (rule.do === "refused") {
      result.failed += 1;
      return isKept(result, () => post.unkept.settle(one.key, () => post.refused(one, rule.message, error)));
    }
    if (rule.do === "sign-in") {
      result.signedOut = true;
      return false;
    }
    const { hold: _, ...kept } = one;
    const hold = { until: post.now() + 1000 * rule.seconds, all: rule.held === "all" };
    const amended = { ...kept, attempts, ...(rule.held === "none" ? {} : { hold }) } as W;
    const isWritten = await isKept(result, () => post.unkept.amend(amended, (each) => post.amend(each)));
    if (rule.held !== "letter") {
      result.retryAfterSeconds = rule.seconds;
      return false;
    }
    post.tell?.(one, "waiting");
    return isWritten;
  }
  result.sent += 1;
  return isKept(result, () => post.unkept.settle(one.key, () => post.arrived(one)));
}
