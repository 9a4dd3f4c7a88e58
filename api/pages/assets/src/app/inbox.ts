// On top of the page: what people are told afterwards. Kept, so that it is there offline; read marks are sent when they can be.
import { h, icon, must } from "../lib/dom";
import { keepNotices, keptNotices, keptScans, markRead, dropMarks, waitingMarks, type KeptScan } from "./store";
import { call, Refused, type Notice } from "./wire";
import { day, say } from "./words";

/** One thing at a time; the next comes when one was read. */
const SHOWN = 2;
const KINDS: Record<string, { style: string; icon: string }> = {
  revised: { style: "scam", icon: "warning" },
  "report-right": { style: "safe", icon: "check" },
};
const PLAIN = { style: "plain", icon: "bell" };

interface Wiring {
  /** Open the screen of a scan. */
  open: (scan: KeptScan) => void;
  /** Runs once a mark is kept: it is sent when there is a network. */
  read: () => Promise<void>;
}

let wiring: Wiring;

export function startInbox(given: Wiring): void {
  wiring = given;
}

/** Send what was read, and take over what is new. Rejects like every call. */
export async function fetchInbox(bearer: string): Promise<void> {
  const read = await waitingMarks();
  if (read.length > 0) {
    await call(bearer, "POST", "/inbox/read", { ids: read });
    await dropMarks(read);
  }
  try {
    const { notices } = await call<{ notices: Notice[] }>(bearer, "GET", "/inbox?limit=30");
    await keepNotices(notices);
  } catch (error) {
    // A server of an earlier release has no inbox.
    if (!(error instanceof Refused && error.status === 404)) throw error;
  }
}

/** Show what was not read yet and still holds. */
export async function showInbox(): Promise<void> {
  const unread = (await keptNotices()).filter((notice) => !notice.readAt && !notice.superseded);
  const scans = new Map((await keptScans()).map((scan) => [scan.id, scan]));
  const place = must<HTMLElement>("#inbox");
  place.hidden = unread.length === 0;
  place.replaceChildren(
    h("h2", { id: "inbox-title", class: "visually-hidden" }, say("inbox.title")),
    ...unread.slice(0, SHOWN).map((notice) => noticeCard(notice, scans.get(notice.scanId))),
  );
}

function noticeCard(notice: Notice, scan: KeptScan | undefined): HTMLElement {
  const looks = (notice.kind !== "revised" || notice.scam ? KINDS[notice.kind] : undefined) ?? PLAIN;
  const name = `notice-${notice.id}`;
  return h(
    "article",
    { class: `notice ${looks.style}`, "aria-labelledby": name },
    icon(looks.icon),
    h(
      "div",
      {},
      h("h3", { id: name, dir: "auto" }, notice.title),
      h("p", { dir: "auto" }, notice.sentence, notice.peopleSentence ? ` ${notice.peopleSentence}` : ""),
      notice.advice && h("p", { class: "now", dir: "auto" }, notice.advice.whatToDoNow),
      h("p", { class: "fine" }, say("inbox.about", { date: day(new Date(notice.scannedAt)) })),
      scan && h("p", { class: "fine about", dir: "auto" }, scan.text),
      h(
        "div",
        { class: "actions" },
        scan && h("button", { type: "button", class: "quiet", onclick: () => wiring.open(scan) }, say("inbox.open")),
        h("button", { type: "button", onclick: () => void read(notice) }, say("inbox.read")),
      ),
    ),
  );
}

async function read(notice: Notice): Promise<void> {
  await markRead(notice.id);
  await showInbox();
  must<HTMLElement>("#main").focus({ preventScroll: true });
  await wiring.read();
}
