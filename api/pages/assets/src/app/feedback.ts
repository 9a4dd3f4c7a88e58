// What people say of an answer: kept first, then sent. One way, online or not, and a repeated tap counts once.
import type { FeedbackBox, Feedbacked } from "../elements";
import { toast } from "../lib/dom";
import { uuid } from "../lib/features";
import { saying } from "../lib/letters";
import { STORAGE_SECONDS, timerMilliseconds } from "../lib/sending";
import { serverNow } from "./clock";
import { deliver, isAllWritten, reportedAs, type Delivery } from "./outbox";
import { explain, Told, whyRefused } from "./problems";
import { ask } from "./asking";
import { back } from "./screens";
import { keptScan, post, removeAllScans, removeScan, setOpinion, waitingLetters, type KeptScan, type Opinion } from "./store";
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
/** Its owner knows that this phone has no room: said once, until there is some. */
let toldUnkept = false;

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
    // The letter counts: what stands with the scan could perhaps not be written.
    const letter = (await waitingLetters()).find(({ body }) => body.scanId === scanId);
    const said: Opinion | undefined = letter ? { state: "waiting", scam: letter.scam, comment: letter.body.comment ?? "" } : (await keptScan(scanId))?.opinion;
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
    void flush().then(({ sent, failed, unkept }) => {
      if (unkept !== undefined) return; // it was said what is wrong
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
  // It is kept: the note with the scan is for the list alone.
  await setOpinion(id, { state: "waiting", scam, ...(comment ? { comment } : {}) }).catch((error: unknown) => tellUnkept(error));
  return true;
}

async function remove(scan: KeptScan): Promise<void> {
  if (!(await ask({ title: say("history.delete"), what: say("history.deleteQuestion"), yes: say("history.delete"), danger: true }))) return;
  const onServer = scan.onServer ?? reportedAs(scan.id);
  await removeScan(onServer ? { ...scan, onServer } : scan);
  back();
  await tellRemoved();
}

async function removeAll(): Promise<void> {
  if (!(await ask({ title: say("history.clear"), what: say("history.clearQuestion"), yes: say("history.clear"), danger: true }))) return;
  await removeAllScans(await serverNow());
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
  const delivery = await shownWhile(deliver)
    .catch((unkept: unknown): Delivery => ({ ...NOTHING, unkept, retryAfterSeconds: STORAGE_SECONDS }))
    .finally(() => (sending -= 1));
  try {
    signedOut = delivery.signedOut;
    if (delivery.unkept === undefined) toldUnkept = false;
    else tellUnkept(delivery.unkept);
    await wiring.shown();
    if (delivery.signedOut) await wiring.signedOut();
    if (delivery.failed > 0) toast(say("opinion.oneRefused"), "bad");
    await wiring.connection();
  } finally {
    await again(delivery);
  }
  return delivery;
}

const NOTHING: Delivery = { sent: 0, failed: 0, waiting: 0, signedOut: false, stopped: true, retryAfterSeconds: null, removed: 0, learned: [] };

async function shownWhile(work: () => Promise<Delivery>): Promise<Delivery> {
  await wiring.shown();
  return work();
}

/** Try again when that makes sense: feedback or deletions wait, and the server knows the token. */
async function again({ waiting, signedOut, retryAfterSeconds, unkept }: Delivery): Promise<void> {
  window.clearTimeout(retry);
  if (signedOut || (waiting === 0 && retryAfterSeconds === null)) return;
  retry = window.setTimeout(() => void flush(), timerMilliseconds(retryAfterSeconds ?? 1));
  // What this page alone remembers the service worker would send again, and at once.
  if (unkept !== undefined || !isAllWritten()) return;
  const registration = await navigator.serviceWorker?.getRegistration("/app");
  const sync = (registration as unknown as { sync?: { register(tag: string): Promise<void> } } | undefined)?.sync;
  await sync?.register("feedback").catch(() => undefined);
}

function tellUnkept(error: unknown): void {
  if (!toldUnkept) toast(explain(error), "bad");
  toldUnkept = true;
}
