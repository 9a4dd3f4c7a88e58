// Feedback that survives a tunnel: every letter is kept first and sent from where it is kept, so there is one way.
import type { ShieldClient } from "./client";
import type { FeedbackBox, Feedbacked } from "./generated/elements/given";
import { isEnough, lotsOf, tallied, type Answer, type Tally } from "./generated/judge/counting";
import { saying, sentOf, type Answerable } from "./generated/lib/letters";
import { exclusively, uuid } from "./generated/lib/platform";
import { sendRound, STORAGE_SECONDS, timerMilliseconds, Unkept, type Round } from "./generated/lib/sending";
import { answered } from "./rules";
import type { ScanType } from "./scan";
import { BrowserStorage, type Letter, type Outcome, type OutboxStorage } from "./storage";

export type { Feedbacked };

const HOUR_MILLISECONDS = 3_600_000;

/** How a round of sending ended; `sent` and `failed` are letters, and counts are none. */
export interface Delivery extends Round {
  waiting: number;
}

export interface OutboxOptions {
  client: Pick<ShieldClient, "sendFeedback" | "sendDeviceReport" | "sendDeviceCounts">;
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
  /** Letters of this round. */
  private arrived = 0;
  private failed = 0;
  private readonly unkept = new Unkept();

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
   * Resolves once it is kept: from then on it cannot be lost. A newer opinion replaces one that still waits. Of a scan that the device has judged
   * (`judgedHere`, with its `text` and `modelVersion`), the message is reported, so that the server judges it again.
   */
  async say(scan: Answerable, scam: boolean, comment = ""): Promise<void> {
    const letter: Letter = { key: uuid(), ...saying(scan, scam, comment), scam, writtenAt: this.now() };
    await this.storage.post(letter);
    this.tell(letter, this.running ? "sending" : "waiting");
    if (this.running) this.wake();
  }

  /**
   * Count an answer that a person was given by the device alone: what its judge has said, never what was known. No text is kept or sent.
   *
   * A quarter of the answers is drawn by lot, and they are sent in lots of 20 of one version, at a random moment of the hour after a lot is full, so
   * that neither an answer nor its time can be read off.
   */
  async count(scanType: ScanType, version: string, answer: Answer): Promise<void> {
    const full = await exclusively(`${this.storage.name}:counts`, async () => {
      const tally = tallied(await this.storage.tallies(), { scanType, version, answer }, uuid);
      const isFull = isEnough(tally.counts);
      await this.storage.keepTally(isFull ? { ...tally, hold: { until: this.now() + this.random() * HOUR_MILLISECONDS, all: false } } : tally);
      return isFull;
    });
    if (full && this.running) this.wake();
  }

  /** Where the feedback on a scan stands; null where this device knows of none. */
  async feedbackOf(scanId: string): Promise<Feedbacked | null> {
    const letter = (await this.storage.letters()).find((one) => one.body.scanId === scanId);
    if (letter) return feedbackIn(letter, letter.key === this.sending ? "sending" : this.signedOut ? "signed-out" : "waiting");
    const outcome = await this.storage.outcome(scanId);
    return outcome ? { scanId, state: outcome.state, scam: outcome.scam, comment: outcome.comment, ...(outcome.message ? { message: outcome.message } : {}) } : null;
  }

  /** How many letters wait. Counts are not among them: nobody has to wait for those. */
  async waiting(): Promise<number> {
    return this.unkept.of(await this.storage.letters()).length;
  }

  /** Forget all letters: a person signs out for good. Ask first when `waiting()` is not 0. */
  async clear(): Promise<void> {
    clearTimeout(this.timer);
    this.unkept.clear();
    await this.storage.clear();
  }

  /**
   * Send everything that may be sent now, oldest first. Only one page, or worker, does so at a time.
   *
   * Where the storage cannot be written (`unkept`, e.g. a `QuotaExceededError`), tell the person to make room: it is tried again after a minute, and what
   * has arrived is not sent again meanwhile.
   */
  async deliver(): Promise<Delivery> {
    let pause: number | null = STORAGE_SECONDS;
    try {
      const delivery = await exclusively(this.storage.name, () => this.sendAll());
      pause = delivery.retryAfterSeconds;
      return delivery;
    } finally {
      clearTimeout(this.timer);
      if (this.running && pause !== null) this.timer = setTimeout(this.wake, timerMilliseconds(pause));
    }
  }

  private readonly wake = (): void => {
    if (globalThis.document?.visibilityState === "hidden" || !this.running) return;
    // Whatever fails beyond the network is a fault of this code or of the storage: it is reported, not swallowed.
    void this.deliver().then(
      ({ unkept }) => unkept !== undefined && globalThis.reportError?.(unkept),
      (error: unknown) => globalThis.reportError?.(error),
    );
  };

  private async sendAll(): Promise<Delivery> {
    this.signedOut = false;
    let round: Round;
    try {
      round = await sendRound<Letter | Tally>({
        unkept: this.unkept,
        waiting: async () => [...(await this.storage.letters()), ...lotsOf(await this.storage.tallies())],
        send: (one) => (isLot(one) ? this.sendLot(one) : this.sendLetter(one)),
        answered,
        arrived: (one) => this.settled(one, { state: "sent" }),
        refused: (one, message) => this.settled(one, { state: "failed", message }),
        amend: (one) => (isLot(one) ? this.storage.amendTally(one) : this.storage.amend(one)),
        now: this.now,
        random: this.random,
        tell: (one, state) => {
          this.sending = state === "sending" ? one.key : "";
          this.signedOut ||= state === "signed-out";
          if (!isLot(one)) this.tell(one, state);
        },
      });
    } finally {
      this.sending = "";
    }
    this.signedOut = round.signedOut;
    const result = { ...round, sent: this.arrived, failed: this.failed, waiting: await this.waiting() };
    this.arrived = this.failed = 0;
    return result;
  }

  private async sendLetter(letter: Letter): Promise<void> {
    const sent = sentOf(letter, letter.onServer);
    if ("feedback" in sent) return void (await this.options.client.sendFeedback(sent.feedback, letter.key));
    const { scanId, verdict } = await this.options.client.sendDeviceReport(sent.report, letter.key);
    letter.onServer = { id: scanId, verdict };
  }

  private async sendLot({ scanType, version, counts, key }: Tally): Promise<void> {
    await this.options.client.sendDeviceCounts(scanType as ScanType, { version, ...counts }, key);
  }

  /** Keep what became of one. Of counts nothing is told: either way they are gone. */
  private async settled(one: Letter | Tally, end: Pick<Outcome, "state" | "message">): Promise<void> {
    if (isLot(one)) return this.storage.dropTally(one.key);
    const { body, scam, onServer } = one;
    const outcome = { scanId: body.scanId, scam, comment: body.comment ?? "", at: this.now(), ...end, ...(onServer ? { onServer } : {}) };
    await this.storage.settle(one, outcome);
    if (end.state === "sent") this.arrived += 1;
    else this.failed += 1;
    this.tell(one, end.state, end.message);
  }

  private tell(letter: Letter, state: Feedbacked["state"], message?: string): void {
    const feedback = { ...feedbackIn(letter, state), ...(message ? { message } : {}) };
    this.dispatchEvent(new OutboxChange(feedback));
    this.channel?.postMessage(feedback);
  }
}

function isLot(one: Letter | Tally): one is Tally {
  return "counts" in one;
}

function feedbackIn(letter: Letter, state: Feedbacked["state"]): Feedbacked {
  return { scanId: letter.body.scanId, state, scam: letter.scam, comment: letter.body.comment ?? "" };
}
