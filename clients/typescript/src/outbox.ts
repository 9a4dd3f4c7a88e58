// Feedback that survives a tunnel: every letter is kept first and sent from where it is kept, so there is one way.
import type { ShieldClient } from "./client";
import type { FeedbackBox, Feedbacked } from "./generated/elements/given";
import { exclusively, uuid } from "./generated/lib/platform";
import { ruleFor } from "./rules";
import { feedbackOn, type Scan } from "./scan";
import { BrowserStorage, type Letter, type OutboxStorage } from "./storage";

export type { Feedbacked };

/** How a round of sending ended. */
export interface Delivery {
  sent: number;
  failed: number;
  waiting: number;
  /** The server does not know the token: ask for a new one; nothing is lost. */
  signedOut: boolean;
  /** When to try again; null where nothing waits, or only a token is missing. */
  retryAfterSeconds: number | null;
}

export interface OutboxOptions {
  client: Pick<ShieldClient, "sendFeedback">;
  /** Whose letters these are, e.g. the subject of the token. Needed unless `storage` is given. */
  account?: string;
  storage?: OutboxStorage;
  now?: () => number;
  random?: () => number;
}

/** Something has changed: an event of an `Outbox`. */
export class OutboxChange extends Event {
  constructor(readonly feedback: Feedbacked) {
    super("change");
  }
}

/**
 * An outbox of feedback. `start()` once; then `say()` whenever somebody taps.
 *
 * Events: `change` (an `OutboxChange`), whoever sent the letter: this page, another one, or a service worker.
 */
export class Outbox extends EventTarget implements FeedbackBox {
  readonly storage: OutboxStorage;
  private readonly now: () => number;
  private readonly random: () => number;
  /** Only where storage is shared: other pages, and a service worker. */
  private readonly channel: BroadcastChannel | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running = false;
  private sending = "";
  private signedOut = false;

  constructor(private readonly options: OutboxOptions) {
    super();
    if (options.storage) this.storage = options.storage;
    else if (options.account) this.storage = new BrowserStorage(options.account);
    else throw new TypeError("An outbox needs to know whose letters it keeps: give `account`, or a `storage` of your own.");
    this.now = options.now ?? Date.now;
    this.random = options.random ?? Math.random;
    if (!(this.storage instanceof BrowserStorage)) return;
    this.channel = new BroadcastChannel(this.storage.name);
    this.channel.onmessage = (event: MessageEvent<Feedbacked>) => this.dispatchEvent(new OutboxChange(event.data));
  }

  /** Send what waits: now, whenever the network returns or the page is looked at again, and when a pause is over. */
  start(): void {
    if (this.running) return;
    this.running = true;
    globalThis.addEventListener?.("online", this.wake);
    globalThis.document?.addEventListener("visibilitychange", this.wake);
    this.wake();
  }

  /** Send nothing more. What waits is kept. */
  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
    globalThis.removeEventListener?.("online", this.wake);
    globalThis.document?.removeEventListener("visibilitychange", this.wake);
  }

  /**
   * Keep what somebody says of a scan, and send it as soon as that is possible.
   *
   * Resolves once it is kept: from then on it cannot be lost. A newer opinion replaces one that still waits.
   */
  async say(scan: Pick<Scan, "id" | "scanType" | "verdict">, scam: boolean, comment = ""): Promise<void> {
    const letter: Letter = { key: uuid(), body: feedbackOn(scan, scam, comment), scam, writtenAt: this.now(), attempts: 0 };
    await this.storage.post(letter);
    this.tell(letter, this.running ? "sending" : "waiting");
    if (this.running) this.wake();
  }

  /** Where the feedback on a scan stands; null where this device knows of none. */
  async feedbackOf(scanId: string): Promise<Feedbacked | null> {
    const letter = (await this.storage.letters()).find((one) => one.body.scanId === scanId);
    if (letter) return feedbackIn(letter, letter.key === this.sending ? "sending" : this.signedOut ? "signed-out" : "waiting");
    const outcome = await this.storage.outcome(scanId);
    return outcome ? { scanId, state: outcome.state, scam: outcome.scam, comment: outcome.comment, ...(outcome.message ? { message: outcome.message } : {}) } : null;
  }

  /** How many letters wait. */
  async waiting(): Promise<number> {
    return (await this.storage.letters()).length;
  }

  /** Forget all letters: a person signs out for good. Ask first when `waiting()` is not 0. */
  async clear(): Promise<void> {
    clearTimeout(this.timer);
    await this.storage.clear();
  }

  /** Send everything that may be sent now, oldest first. Only one page, or worker, does so at a time. */
  async deliver(): Promise<Delivery> {
    const delivery = await exclusively(this.storage.name, () => this.sendAll());
    clearTimeout(this.timer);
    if (this.running && delivery.retryAfterSeconds !== null)
      this.timer = setTimeout(this.wake, Math.min(2 ** 31 - 1, 1000 * delivery.retryAfterSeconds));
    return delivery;
  }

  private readonly wake = (): void => {
    if (globalThis.document?.visibilityState === "hidden" || !this.running) return;
    // Whatever fails beyond the network is a fault of this code or of the storage: it is reported, not swallowed.
    void this.deliver().catch((error: unknown) => globalThis.reportError?.(error));
  };

  private async sendAll(): Promise<Delivery> {
    const result: Delivery = { sent: 0, failed: 0, waiting: 0, signedOut: false, retryAfterSeconds: null };
    this.signedOut = false;
    const letters = await this.storage.letters();
    const held = (letter: Letter): boolean => (letter.hold?.until ?? 0) > this.now();
    const stopped = letters.some((letter) => letter.hold?.all && held(letter));
    for (const [index, letter] of letters.entries()) {
      if (stopped || held(letter)) continue;
      // Replaced by a newer opinion while others were sent: that one follows in the next round.
      if (!(await this.storage.letters()).some((one) => one.key === letter.key)) continue;
      if (await this.sendOne(letter, result)) continue;
      for (const rest of letters.slice(index)) this.tell(rest, this.signedOut ? "signed-out" : "waiting");
      break;
    }
    const left = await this.storage.letters();
    result.waiting = left.length;
    if (left.length === 0 || result.signedOut) return { ...result, retryAfterSeconds: null };
    // The end of a pause of all, else of the first pause of one.
    const ends = (all: boolean): number[] => left.filter((letter) => held(letter) && letter.hold!.all === all).map((letter) => letter.hold!.until);
    const due = ends(true).length > 0 ? Math.max(...ends(true)) : Math.min(...ends(false));
    if (Number.isFinite(due)) result.retryAfterSeconds ??= (due - this.now()) / 1000;
    return result;
  }

  /** Send one letter; tell whether the next one may be tried. */
  private async sendOne(letter: Letter, result: Delivery): Promise<boolean> {
    const { scam, body } = letter;
    const outcome = { scanId: body.scanId, scam, comment: body.comment ?? "", at: this.now() };
    this.sending = letter.key;
    this.tell(letter, "sending");
    try {
      await this.options.client.sendFeedback(body, letter.key);
      await this.storage.settle(letter, { ...outcome, state: "sent" });
      result.sent += 1;
      this.tell(letter, "sent");
      return true;
    } catch (error) {
      const rule = ruleFor(error, letter.attempts + 1, this.random);
      if (rule.do === "refused") {
        await this.storage.settle(letter, { ...outcome, state: "failed", message: rule.message });
        result.failed += 1;
        this.tell(letter, "failed", rule.message);
        return true;
      }
      if (rule.do === "sign-in") {
        this.signedOut = result.signedOut = true;
        return false;
      }
      const until = this.now() + 1000 * rule.seconds;
      await this.storage.amend({
        ...{ key: letter.key, body, scam, writtenAt: letter.writtenAt, attempts: letter.attempts + 1 },
        ...(rule.held === "none" ? {} : { hold: { until, all: rule.held === "all" } }),
      });
      if (rule.held !== "letter") {
        result.retryAfterSeconds = rule.seconds;
        return false;
      }
      this.tell(letter, "waiting");
      return true;
    } finally {
      this.sending = "";
    }
  }

  private tell(letter: Letter, state: Feedbacked["state"], message?: string): void {
    const feedback = { ...feedbackIn(letter, state), ...(message ? { message } : {}) };
    this.dispatchEvent(new OutboxChange(feedback));
    this.channel?.postMessage(feedback);
  }
}

function feedbackIn(letter: Letter, state: Feedbacked["state"]): Feedbacked {
  return { scanId: letter.body.scanId, state, scam: letter.scam, comment: letter.body.comment ?? "" };
}
