// What people say of an answer: kept first, then sent. One way, online or not, and a repeated tap counts once.
import { toast } from "../lib/dom";
import { uuid } from "../lib/features";
import { askForOpinion } from "./opinion";
import { deliver, type Delivery } from "./outbox";
import { explain } from "./problems";
import { ask } from "./asking";
import { SCAN_TYPES } from "./scan-types";
import { back } from "./screens";
import { opinionHere } from "./scanning";
import { post, removeAllScans, removeScan, setOpinion, type KeptScan, type Letter } from "./store";
import { claimOf, isScam } from "./wire";
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

export function startFeedback(given: Wiring): void {
  wiring = given;
}

/** What can be done with a scan. A tap is kept, or refused aloud. */
export const sayTo = {
  agree: (scan: KeptScan): void => void keep(scan, isScam(scan)).catch(refuseAloud),
  claim: (scan: KeptScan, scam: boolean): void => void keep(scan, scam).catch(refuseAloud),
  object: (scan: KeptScan): void => void object(scan).catch(refuseAloud),
  remove: (scan: KeptScan): void => void remove(scan).catch(refuseAloud),
  removeAll: (): void => void removeAll().catch(refuseAloud),
};

function refuseAloud(error: unknown): void {
  toast(say("opinion.notKept", { why: explain(error) }), "bad");
}

async function object(scan: KeptScan): Promise<void> {
  const answer = await askForOpinion(scan);
  if (answer) await keep(scan, answer.scam, answer.comment);
}

async function keep(scan: KeptScan, scam: boolean, comment = ""): Promise<void> {
  const said = { actualLabel: SCAN_TYPES[scan.scanType].labels[scam ? 1 : 0], ...(comment ? { comment } : {}) };
  await post({ key: uuid(), writtenAt: Date.now(), scam, ...addressed(scan, scam, said) });
  await setOpinion(scan.id, { state: "waiting", scam, ...(comment ? { comment } : {}) });
  await wiring.shown();
  const delivery = await flush();
  if (delivery.sent > 0) toast(say("opinion.thanks"));
  else if (delivery.failed === 0) toast(say("opinion.thanksLater"));
}

/** To whom it goes: of what this phone judged, the server has to see the message first; once it has, the claim is about its own verdict. */
function addressed(scan: KeptScan, scam: boolean, said: { actualLabel: string; comment?: string }): Pick<Letter, "body" | "report"> {
  const { scanType, text, onServer } = scan;
  const told = onServer ? { scanType, verdict: onServer.verdict } : scan;
  const body = { ...said, scanId: scan.id, feedbackType: claimOf(told, scam) };
  if (!scan.judgedHere) return { body };
  return onServer ? { body: { ...body, serverId: onServer.id } } : { body, report: { scanType, text, ...said, device: opinionHere(scan) } };
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
  const delivery = await deliver();
  if (delivery.sent + delivery.failed > 0) await wiring.shown();
  if (delivery.signedOut) await wiring.signedOut();
  if (delivery.failed > 0) toast(say("opinion.oneRefused"), "bad");
  window.clearTimeout(retry);
  if (delivery.waiting > 0 && !delivery.signedOut) {
    retry = window.setTimeout(() => void flush(), 1000 * (delivery.retryAfterSeconds ?? 30));
    const registration = await navigator.serviceWorker?.getRegistration("/app");
    const sync = (registration as unknown as { sync?: { register(tag: string): Promise<void> } } | undefined)?.sync;
    await sync?.register("feedback").catch(() => undefined);
  }
  await wiring.connection();
  return delivery;
}
