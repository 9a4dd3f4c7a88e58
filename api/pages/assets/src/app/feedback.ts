// What people say of an answer: kept first, then sent. One way, online or not, and a repeated tap counts once.
import type { FeedbackBox, Feedbacked } from "../elements";
import { toast } from "../lib/dom";
import { uuid } from "../lib/features";
import { saying } from "../lib/letters";
import { deliver, type Delivery } from "./outbox";
import { explain, Told, whyRefused } from "./problems";
import { ask } from "./asking";
import { back } from "./screens";
import { keptScan, post, removeAllScans, removeScan, setOpinion, type KeptScan } from "./store";
import { list, say } from "./words";

interface Wiring {
  /** Show the scans as they are now. */
  shown: () => Promise<void>;
  /** Show whether something waits. */
  connection: () => Promise<void>;
  /** The server no longer knows the token. */
  signedOut: () => Promise<void>;
}

let wiring: Wiring;
let retry: number | undefined;
/** How many rounds of sending are under way. */
let sending = 0;
let signedOut = false;

export function startFeedback(given: Wiring): void {
  wiring = given;
}

/** What can be done with scans. A tap is kept, or refused aloud. */
export const deleting = {
  remove: (scan: KeptScan): void => void remove(scan).catch(refuseAloud),
  removeAll: (): void => void removeAll().catch(refuseAloud),
};

function refuseAloud(error: unknown): void {
  toast(say("feedback.unkept", { reason: explain(error) }), "bad");
}

/** Where the cards keep what is said of a scan. A card looks again whenever it is shown anew. */
export const outbox: FeedbackBox = Object.assign(new EventTarget(), {
  async feedbackOf(scanId: string): Promise<Feedbacked | null> {
    const said = (await keptScan(scanId))?.opinion;
    if (!said) return null;
    const state = said.decision ?? (said.state !== "waiting" ? said.state : sending ? "sending" : signedOut ? "signed-out" : "waiting");
    return { scanId, state, scam: said.scam, comment: said.comment ?? "", ...(said.state === "failed" ? { message: whyRefused(said) } : {}) };
  },
  async say({ id }: { id: string }, scam: boolean, comment: string): Promise<void> {
    try {
      if (!(await keep(id, scam, comment))) return;
    } catch (error) {
      throw new Told(explain(error)); // the button shows its words
    }
    void flush().then(({ sent, failed }) => {
      if (sent > 0) toast(say("opinion.thanks"));
      else if (failed === 0) toast(say("opinion.thanksLater"));
    });
  },
});

/** Keep it to be sent; tells whether there was a scan to say it of: it may be deleted meanwhile, in another window. */
async function keep(id: string, scam: boolean, comment: string): Promise<boolean> {
  const scan = await keptScan(id);
  if (!scan) return false;
  await post({ key: uuid(), writtenAt: Date.now(), scam, ...saying(scan, scam, comment) });
  await setOpinion(id, { state: "waiting", scam, ...(comment ? { comment } : {}) });
  return true;
}

async function remove(scan: KeptScan): Promise<void> {
  if (!(await ask({ title: say("history.delete"), what: say("history.deleteQuestion"), yes: say("history.delete"), danger: true }))) return;
  await removeScan(scan);
  back();
  await tellRemoved();
}

async function removeAll(): Promise<void> {
  if (!(await ask({ title: say("history.clear"), what: say("history.clearQuestion"), yes: say("history.clear"), danger: true }))) return;
  await removeAllScans();
  await tellRemoved();
}

async function tellRemoved(): Promise<void> {
  await wiring.shown();
  const { removed, learned } = await flush();
  if (removed === 0) toast(say("history.deletedHere"));
  else toast(learned.length > 0 ? say("history.learned", { versions: list([...new Set(learned)]) }) : say("history.deleted"));
}

/** Send what waits; when that must be later, ask the browser to wake us, or try again by ourselves. */
export async function flush(): Promise<Delivery> {
  sending += 1;
  await wiring.shown();
  const delivery = await deliver().finally(() => (sending -= 1));
  signedOut = delivery.signedOut;
  await wiring.shown();
  if (delivery.signedOut) await wiring.signedOut();
  if (delivery.failed > 0) toast(say("opinion.oneRefused"), "bad");
  window.clearTimeout(retry);
  if (delivery.waiting > 0 && !delivery.signedOut) {
    retry = window.setTimeout(() => void flush(), 1000 * (delivery.retryAfterSeconds ?? 1));
    const registration = await navigator.serviceWorker?.getRegistration("/app");
    const sync = (registration as unknown as { sync?: { register(tag: string): Promise<void> } } | undefined)?.sync;
    await sync?.register("feedback").catch(() => undefined);
  }
  await wiring.connection();
  return delivery;
}
