// Sends waiting feedback, oldest first, after what is to be deleted. Runs in the page and in the service worker; a lock keeps them apart.
import { lotsOf, type Tally } from "../judge/counting";
import { tallies } from "../judge/shelf";
import { exclusively, openChannel } from "../lib/features";
import { sentOf, type OnServer } from "../lib/letters";
import { isStopped, pauseOf, sendRound, sooner, Unkept, type Round, type Waiting } from "../lib/sending";
import { amendLetter, amendRemoval, dropRemoval, EVERYTHING, keptScan, markTried, settleLetter, token, waitingLetters, waitingRemovals, withdrawnLetters, type Letter, type Opinion, type Removal } from "./store";
import { answered, call, Refused } from "./wire";

export interface Delivery extends Round {
  /** Letters; deletions are none. */
  waiting: number;
  /** How many deletions the server has carried out. */
  removed: number;
  /** The versions that had learned from what was deleted. */
  learned: string[];
}

/** Told to open pages whenever letters were sent or refused, whoever sent them. */
export const channel = openChannel("antispam-shield-outbox");

const unkept = { letters: new Unkept(), removals: new Unkept() };
/** Where the server has what was reported by this page: it is known before it is stored. */
const reported = new Map<string, OnServer>();

/** Where the server has a scan of this phone, as far as that could not be stored with it. */
export function reportedAs(scanId: string): OnServer | undefined {
  return reported.get(scanId);
}

export async function deliver(): Promise<Delivery> {
  return exclusively("antispam-shield-outbox", sendAll);
}

/** What became of counts, where the storage could not be written. */
export const unkeptLots = new Unkept();

/** Whether the storage holds all that became of what waits: another page, or the service worker, can go by it. */
export function isAllWritten(): boolean {
  return [unkept.removals, unkept.letters, unkeptLots].every(({ isEmpty }) => isEmpty);
}

/** The counts that are full. */
export async function waitingLots(): Promise<Tally[]> {
  return lotsOf(await tallies());
}

/** All that waits, as it stands: a pause of all that the server has asked for over one of them holds the others too. */
export async function holding(): Promise<Waiting[]> {
  const removals = (await waitingRemovals()).map(keyed);
  const lots = await waitingLots().catch(() => []);
  const letters = [...(await waitingLetters()), ...(await withdrawnLetters())];
  return [...unkept.removals.of(removals), ...unkept.letters.of(letters), ...unkeptLots.of(lots)];
}

async function sendAll(): Promise<Delivery> {
  const bearer = await token.read();
  const letters = await waitingLetters();
  const removals = await waitingRemovals();
  const result: Delivery = { sent: 0, failed: 0, waiting: letters.length, signedOut: false, stopped: true, retryAfterSeconds: null, removed: 0, learned: [] };
  if (bearer === undefined) return { ...result, signedOut: letters.length + removals.length + (await withdrawnLetters()).length > 0 };
  const held = await holding();
  if (isStopped(held, Date.now())) return { ...result, retryAfterSeconds: pauseOf(held, Date.now()) };
  const recalling = await recall(bearer);
  if (recalling.stopped) return { ...result, ...recalling, sent: 0, failed: 0 };
  // What is to be deleted goes first: what is written after it must not be deleted with it.
  const { removed, ...removing } = await sendRemovals(bearer, result);
  result.removed = removed;
  const left = unkept.removals.of((await waitingRemovals()).map(keyed));
  // One that the server fails over holds up nothing, unless it is all that was ever scanned.
  if (removing.stopped || left.some(({ scanId }) => scanId === EVERYTHING)) return { ...result, ...removing, sent: 0, failed: 0 };
  const round = await sendRound<Letter>({
    ...BY_THE_CLOCK,
    unkept: unkept.letters,
    waiting: waitingLetters,
    begin: markTried,
    send: (letter) => send(bearer, letter),
    arrived: (letter) => settle(letter, { state: "sent", scam: letter.scam }),
    refused(letter, _, error) {
      const { slug, status } = error as Refused;
      return settle(letter, { state: "failed", scam: letter.scam, slug, status });
    },
    amend: amendLetter,
  });
  const retryAfterSeconds = round.signedOut ? null : sooner(recalling.retryAfterSeconds, sooner(round.retryAfterSeconds, removing.retryAfterSeconds));
  Object.assign(result, round, { retryAfterSeconds, waiting: unkept.letters.of(await waitingLetters()).length });
  if (result.sent + result.failed > 0) channel.postMessage({ sent: result.sent, failed: result.failed });
  return result;
}

const BY_THE_CLOCK = { answered, now: () => Date.now(), random: Math.random };

/** Note what became of a letter. */
async function settle(letter: Letter, opinion: Opinion): Promise<void> {
  const { scanId } = letter.body;
  await settleLetter(letter, opinion, reported.get(scanId));
  reported.delete(scanId);
}

/** Learn where the server has reports that were taken back: the deletions that follow from it go next, and make it forget their keys. */
function recall(bearer: string): Promise<Round> {
  const settled = (letter: Letter): Promise<void> => settle(letter, { state: "sent", scam: letter.scam });
  return sendRound<Letter>({
    ...BY_THE_CLOCK,
    // The server is still busy with the first try (409).
    answered: (error) => (error instanceof Refused && error.status === 409 ? null : answered(error)),
    unkept: unkept.letters,
    waiting: withdrawnLetters,
    async send({ key, body, report }) {
      const taken = await call<{ scanId: string; verdict: string }>(bearer, "POST", "/device/reports", report, { "Idempotency-Key": key });
      reported.set(body.scanId, { id: taken.scanId, verdict: taken.verdict });
    },
    arrived: settled,
    // It never took it.
    refused: settled,
    amend: amendLetter,
  });
}

async function send(bearer: string, letter: Letter): Promise<void> {
  const headers = { "Idempotency-Key": letter.key };
  const { scanId } = letter.body;
  const sent = sentOf(letter, (await keptScan(scanId))?.onServer ?? reported.get(scanId));
  if ("feedback" in sent) return void (await call(bearer, "POST", "/feedback", sent.feedback, headers));
  const taken = await call<{ scanId: string; verdict: string }>(bearer, "POST", "/device/reports", sent.report, headers);
  reported.set(scanId, { id: taken.scanId, verdict: taken.verdict });
}

/** A deletion is one of its own each time that it is asked for. */
function keyed(removal: Removal): Removal & Waiting {
  return { ...removal, key: `${removal.scanId} ${removal.askedAt}` };
}

/** Delete on the server what was deleted here; note in `result` what it had been learned by. */
async function sendRemovals(bearer: string, result: Delivery): Promise<Round & { removed: number }> {
  const done = ({ scanId, askedAt }: Removal): Promise<void> => dropRemoval(scanId, askedAt);
  const round = await sendRound<Removal & Waiting>({
    ...BY_THE_CLOCK,
    unkept: unkept.removals,
    waiting: async () => (await waitingRemovals()).map(keyed),
    async send({ scanId, askedAt }) {
      // Repeated, as after an answer that was lost, it must not delete what was scanned meanwhile.
      const path = scanId === EVERYTHING ? `/scans?before=${encodeURIComponent(askedAt)}` : `/scans/${scanId}`;
      result.learned.push(...(await call<{ versions: string[] }>(bearer, "DELETE", path)).versions);
    },
    arrived: done,
    // What the server does not have (404, or a name that is none) is as good as deleted.
    refused: done,
    amend: amendRemoval,
  });
  return { ...round, removed: round.sent + round.failed };
}
