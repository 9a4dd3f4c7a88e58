// What the phone keeps: the access token, the last scans, and feedback that has not been sent yet.
// IndexedDB, because the service worker sends feedback when no page is open.
import type { DBSchema } from "idb";
import { opener } from "../lib/database";
import { saidOf } from "../lib/verdicts";
import type { OnServer, Said } from "../lib/letters";
import type { Waiting } from "../lib/sending";
import type { Notice, Scan } from "./wire";

/** Where a scan's feedback stands. `waiting` is on this phone only; `failed` was refused by the server. */
export interface Opinion {
  state: "waiting" | "sent" | "failed";
  scam: boolean;
  /** Of one that was refused: the problem's slug and status. */
  slug?: string;
  status?: number;
  /** What was written beside it, to begin with when it is changed. */
  comment?: string;
  /** What a reviewer made of it, once one has looked. */
  decision?: "approved" | "rejected";
}

export interface KeptScan extends Scan {
  text: string;
  opinion?: Opinion;
  /** Set where this phone knew it from what reviewers have decided: by its words and its link, or by its words alone. */
  knownHere?: { standing: "confirmed" | "checking"; decidedOn: string };
  /** Then, what the judge on this phone has said. */
  judgeSaid?: { verdict: string; certainty: "sure" | "unsure" };
  /** What the server has made of one that was judged here, since it was reported: its id there, and its verdict. */
  onServer?: OnServer;
}

export interface Letter extends Said, Waiting {
  scam: boolean;
  writtenAt: number;
  /** A report that was on its way at least once: the server may have it. */
  tried?: true;
  /** A report that nobody wants sent any more, but that the server may have: it is sent again by its key to learn where, so that it can be deleted. */
  withdrawn?: true;
}

/** A scan that is deleted here, and has yet to be deleted on the server. */
export interface Removal extends Omit<Waiting, "key"> {
  /** Of one scan, or `EVERYTHING`. */
  scanId: string;
  /** When it was asked for, as in a scan's `createdAt`: by the server's clock. What came later is not meant. */
  askedAt: string;
}

export const EVERYTHING = "*";

interface Phone extends DBSchema {
  settings: { key: string; value: string };
  shared: { key: string; value: Shared };
  removals: { key: string; value: Removal };
  notices: { key: string; value: Notice };
  /** Notices that were read, and that the server does not know of yet. */
  marks: { key: string; value: string };
  scans: { key: string; value: KeptScan; indexes: { "by-time": string } };
  outbox: { key: string; value: Letter; indexes: { "by-time": number } };
}

/** Older scans are left to the server; a phone that is lost should hold little. */
const KEPT_SCANS = 30;

const database = opener<Phone>("antispam-shield", 3, (db, before) => {
  if (before < 1) {
    db.createObjectStore("settings");
    db.createObjectStore("scans", { keyPath: "id" }).createIndex("by-time", "createdAt");
    db.createObjectStore("outbox", { keyPath: "key" }).createIndex("by-time", "writtenAt");
  }
  if (before < 2) {
    db.createObjectStore("shared");
    db.createObjectStore("removals", { keyPath: "scanId" });
  }
  if (before < 3) {
    db.createObjectStore("notices", { keyPath: "id" });
    db.createObjectStore("marks");
  }
});

function setting(name: string) {
  return {
    async read(): Promise<string | undefined> {
      return (await database()).get("settings", name);
    },
    async write(value: string): Promise<void> {
      await (await database()).put("settings", value, name);
    },
    async drop(): Promise<void> {
      await (await database()).delete("settings", name);
    },
  };
}

export const token = setting("token");
/** The server's id of this phone, while it is to be woken for news. */
export const wakingPhone = setting("push");
/** How far the server's clock is ahead of this phone's, in milliseconds. */
export const clockAhead = setting("clock");
/** The language that is shown, for the service worker. */
export const shownLanguage = setting("language");

/** What another app has shared: a text, or a file of a kind that the manifest names. */
export type Shared = string | File;

/** Keep what was shared until the page takes it. */
export async function keepShared(shared: Shared): Promise<void> {
  await (await database()).put("shared", shared, "shared");
}

export async function takeShared(): Promise<Shared | undefined> {
  const db = await database();
  const shared = await db.get("shared", "shared");
  await db.delete("shared", "shared");
  return shared;
}

export async function keepScan(scan: KeptScan): Promise<void> {
  await (await database()).put("scans", scan);
  await dropOldest();
}

/** Write what `to` makes of a kept scan, in one transaction: a tap and the server's news may come at the same moment. */
async function changeScan(scanId: string, to: (kept: KeptScan | undefined) => KeptScan | undefined): Promise<void> {
  const transaction = (await database()).transaction("scans", "readwrite");
  const changed = to(await transaction.store.get(scanId));
  if (changed) await transaction.store.put(changed);
  await transaction.done;
}

async function dropOldest(): Promise<void> {
  const db = await database();
  const keys = await db.getAllKeysFromIndex("scans", "by-time");
  for (const old of keys.slice(0, Math.max(0, keys.length - KEPT_SCANS))) await db.delete("scans", old);
}

/** Take over what the server knows of one's scans. Feedback that waits on the phone is newer than that. */
export async function mergeScans(scans: Scan[]): Promise<void> {
  const db = await database();
  const [removals, letters] = await Promise.all([waitingRemovals(), waitingLetters()]);
  const waits = new Set(letters.map(({ body }) => body.scanId));
  const withdrawn = new Set((await withdrawnLetters()).map(({ report }) => report?.text));
  for (const scan of scans) {
    if (scan.text == null || removals.some((removal) => covers(removal, scan))) continue;
    if (withdrawn.has(scan.text)) continue;
    const { feedback: _, text, ...verdict } = scan;
    const here = (await db.getAll("scans")).find((each) => each.onServer?.id === scan.id);
    if (here) {
      // What this phone said stays as it was told; what became of the report is news.
      const news = opinionOf(scan);
      if (news) await changeScan(here.id, (kept) => kept && (waits.has(kept.id) ? kept : withOpinion(kept, news)));
      continue;
    }
    await changeScan(scan.id, (kept) => {
      const opinion = waits.has(scan.id) ? kept?.opinion : (opinionOf(scan) ?? kept?.opinion);
      return { ...verdict, text, ...(opinion ? { opinion } : {}) };
    });
  }
  await dropOldest();
}

function opinionOf(scan: Scan): Opinion | undefined {
  const scam = saidOf(scan);
  const status = scan.feedback?.status;
  return scam === null ? undefined : { state: "sent", scam, ...(!status || status === "pending" ? {} : { decision: status }) };
}

/** One kept scan. */
export async function keptScan(scanId: string): Promise<KeptScan | undefined> {
  return (await database()).get("scans", scanId);
}

/** The kept scans, newest first. */
export async function keptScans(): Promise<KeptScan[]> {
  return (await (await database()).getAllFromIndex("scans", "by-time")).reverse();
}

export async function setOpinion(scanId: string, opinion: Opinion): Promise<void> {
  await changeScan(scanId, (kept) => kept && withOpinion(kept, opinion));
}

/** Only the newest words count, but the comment outlives being sent and being refused. */
function withOpinion(scan: KeptScan, opinion: Opinion): KeptScan {
  const comment = opinion.comment ?? scan.opinion?.comment;
  return { ...scan, opinion: { ...opinion, ...(comment ? { comment } : {}) } };
}

/** Put the server's answer in the place of this phone's. */
export async function replaceScan(scan: KeptScan, by: KeptScan): Promise<void> {
  await (await database()).delete("scans", scan.id);
  await keepScan(by);
}

/** Put feedback into the outbox. A newer opinion on the same scan replaces one that was not sent yet. */
export async function post(letter: Letter): Promise<void> {
  const transaction = await wholeTransaction();
  await withdraw(transaction, letter.body.scanId, (await transaction.objectStore("scans").get(letter.body.scanId))?.onServer);
  await transaction.objectStore("outbox").put(letter);
  await transaction.done;
}

async function wholeTransaction() {
  return (await database()).transaction(["scans", "outbox", "removals"], "readwrite");
}

/** Take back what waits to be said of a scan; a report that the server may have under an id that is not known here yet is kept to learn it. */
async function withdraw(transaction: Awaited<ReturnType<typeof wholeTransaction>>, scanId: string, onServer: OnServer | undefined): Promise<void> {
  const outbox = transaction.objectStore("outbox");
  for (const letter of await outbox.getAll()) {
    if (letter.body.scanId !== scanId || letter.withdrawn) continue;
    if (letter.report && !onServer && (letter.tried || letter.attempts)) await outbox.put({ ...letter, withdrawn: true });
    else await outbox.delete(letter.key);
  }
}

export async function waitingLetters(): Promise<Letter[]> {
  return (await allLetters()).filter(({ withdrawn }) => !withdrawn);
}

/** Reports that were taken back, and that the server may have. */
export async function withdrawnLetters(): Promise<Letter[]> {
  return (await allLetters()).filter(({ withdrawn }) => withdrawn);
}

async function allLetters(): Promise<Letter[]> {
  return (await database()).getAllFromIndex("outbox", "by-time");
}

/** Note that a report is on its way. */
export async function markTried({ key, report }: Letter): Promise<void> {
  if (!report) return;
  const transaction = (await database()).transaction("outbox", "readwrite");
  const kept = await transaction.store.get(key);
  if (kept && !kept.tried) await transaction.store.put({ ...kept, tried: true });
  await transaction.done;
}

/** Write a letter again if it still waits. What was noted of it meanwhile stays. */
export async function amendLetter(letter: Letter): Promise<void> {
  const transaction = (await database()).transaction("outbox", "readwrite");
  const kept = await transaction.store.get(letter.key);
  if (kept) await transaction.store.put({ ...letter, ...(kept.tried ? { tried: true } : {}), ...(kept.withdrawn ? { withdrawn: true } : {}) });
  await transaction.done;
}

/** Note what became of a letter, and where the server has what it reported. If that is wanted no more, it is deleted there. */
export async function settleLetter({ key, body }: Letter, opinion: Opinion, onServer: OnServer | undefined): Promise<void> {
  const transaction = await wholeTransaction();
  const [scans, outbox] = [transaction.objectStore("scans"), transaction.objectStore("outbox")];
  const [waiting, kept] = [await outbox.get(key), await scans.get(body.scanId)];
  if (waiting?.withdrawn && onServer && (!kept || kept.onServer)) {
    if (onServer.id !== kept?.onServer?.id) {
      await transaction.objectStore("removals").put({ scanId: onServer.id, askedAt: new Date().toISOString() });
      await scans.delete(onServer.id); // the server's list was perhaps read meanwhile
    }
  } else if (kept) {
    // A newer one on the same scan may have taken its place.
    const told = waiting && !waiting.withdrawn ? withOpinion(kept, opinion) : kept;
    if (told !== kept || onServer) await scans.put(onServer ? { ...told, onServer } : told);
  }
  await outbox.delete(key);
  await transaction.done;
}

function covers(removal: Removal, scan: Scan): boolean {
  return removal.scanId === scan.id || (removal.scanId === EVERYTHING && Date.parse(scan.createdAt) <= Date.parse(removal.askedAt));
}

/** Delete one scan here, with what waits to be said of it, and remember to delete it on the server. */
export async function removeScan(scan: KeptScan): Promise<void> {
  const transaction = await wholeTransaction();
  const scans = transaction.objectStore("scans");
  const onServer = (await scans.get(scan.id))?.onServer ?? scan.onServer;
  await withdraw(transaction, scan.id, onServer);
  // What this phone judged by itself the server has if it was reported.
  const there = scan.judgedHere ? onServer?.id : scan.id;
  if (there !== undefined) await transaction.objectStore("removals").put({ scanId: there, askedAt: new Date().toISOString() });
  await scans.delete(scan.id);
  await transaction.done;
}

/** Delete all scans here, and remember to delete on the server what it has `now`, by its own clock. */
export async function removeAllScans(now: number): Promise<void> {
  const transaction = await wholeTransaction();
  const [scans, outbox] = [transaction.objectStore("scans"), transaction.objectStore("outbox")];
  const all = await scans.getAll();
  // What the server has told is not newer than its clock, whatever became of this phone's.
  const told = all.flatMap((scan) => (scan.judgedHere ? [] : [Date.parse(scan.createdAt) + 1]));
  await transaction.objectStore("removals").put({ scanId: EVERYTHING, askedAt: new Date(Math.max(now, ...told)).toISOString() });
  // A report that is on its way may arrive after that time.
  const about = new Set((await outbox.getAll()).map(({ body }) => body.scanId));
  for (const scanId of about) await withdraw(transaction, scanId, all.find(({ id }) => id === scanId)?.onServer);
  await scans.clear();
  await transaction.done;
}

export async function waitingRemovals(): Promise<Removal[]> {
  return (await database()).getAll("removals");
}

/** Write a deletion again if it is still to be done. */
export async function amendRemoval(removal: Removal): Promise<void> {
  const transaction = (await database()).transaction("removals", "readwrite");
  if ((await transaction.store.get(removal.scanId))?.askedAt === removal.askedAt) await transaction.store.put(removal);
  await transaction.done;
}

/** Forget a deletion that is done; not one that was asked for meanwhile. */
export async function dropRemoval(scanId: string, askedAt: string): Promise<void> {
  const transaction = (await database()).transaction("removals", "readwrite");
  if ((await transaction.store.get(scanId))?.askedAt === askedAt) await transaction.store.delete(scanId);
  await transaction.done;
}

/** The notices that are kept, newest first. */
export async function keptNotices(): Promise<Notice[]> {
  return (await (await database()).getAll("notices")).sort((one, other) => other.at.localeCompare(one.at));
}

/** Take over the server's newest notices; what is older than those was read long ago. */
export async function keepNotices(notices: Notice[]): Promise<void> {
  const db = await database();
  const read = await waitingMarks();
  const transaction = db.transaction("notices", "readwrite");
  await transaction.store.clear();
  for (const notice of notices) await transaction.store.put(read.includes(notice.id) ? { ...notice, readAt: notice.readAt ?? notice.at } : notice);
  await transaction.done;
}

export async function markRead(noticeId: string): Promise<void> {
  const db = await database();
  const notice = await db.get("notices", noticeId);
  if (notice) await db.put("notices", { ...notice, readAt: new Date().toISOString() });
  await db.put("marks", noticeId, noticeId);
}

export async function waitingMarks(): Promise<string[]> {
  return (await database()).getAll("marks");
}

export async function dropMarks(noticeIds: string[]): Promise<void> {
  const db = await database();
  for (const id of noticeIds) await db.delete("marks", id);
}

/** Sign out: nothing of this person stays on the phone. */
export async function forgetEverything(): Promise<void> {
  const db = await database();
  await Promise.all([db.clear("settings"), db.clear("scans"), db.clear("outbox"), db.clear("shared"), db.clear("removals"), db.clear("notices"), db.clear("marks")]);
}
