// Sends waiting feedback, oldest first, after what is to be deleted. Runs in the page and in the service worker; a lock keeps them apart.
import { lotsOf } from "../judge/counting";
import { tallies } from "../judge/shelf";
import { exclusively, openChannel } from "../lib/features";
import { sentOf } from "../lib/letters";
import { isStopped, pauseOf, sendRound, type Round, type Waiting } from "../lib/sending";
import { amendLetter, amendRemoval, dropLetter, dropRemoval, EVERYTHING, keptScan, setOnServer, setOpinion, token, waitingLetters, waitingRemovals, type Letter, type Opinion, type Removal } from "./store";
import { answered, call, type Refused } from "./wire";

export interface Delivery extends Round {
  waiting: number;
  /** How many deletions the server has carried out. */
  removed: number;
  /** The versions that had learned from what was deleted. */
  learned: string[];
}

/** Told to open pages whenever letters were sent or refused, whoever sent them. */
export const channel = openChannel("antispam-shield-outbox");

export async function deliver(): Promise<Delivery> {
  return exclusively("antispam-shield-outbox", sendAll);
}

async function sendAll(): Promise<Delivery> {
  const bearer = await token.read();
  const letters = await waitingLetters();
  const result: Delivery = { sent: 0, failed: 0, waiting: letters.length, signedOut: false, retryAfterSeconds: null, removed: 0, learned: [] };
  if (bearer === undefined) return { ...result, signedOut: letters.length > 0 };
  const holding = [...letters, ...lotsOf(await tallies().catch(() => []))];
  if (isStopped(holding, Date.now())) return { ...result, retryAfterSeconds: pauseOf(holding, Date.now()) };
  // What is to be deleted goes first: what is written after it must not be deleted with it.
  const removing = await sendRemovals(bearer, result);
  if ((await waitingRemovals()).length > 0) return { ...result, signedOut: removing.signedOut, retryAfterSeconds: removing.retryAfterSeconds };
  const round = await sendRound<Letter>({
    ...BY_THE_CLOCK,
    waiting: waitingLetters,
    send: (letter) => send(bearer, letter),
    arrived: (letter) => settle(letter, { state: "sent", scam: letter.scam }),
    refused(letter, _, error) {
      const { slug, status } = error as Refused;
      return settle(letter, { state: "failed", scam: letter.scam, slug, status });
    },
    amend: amendLetter,
  });
  Object.assign(result, round, { waiting: (await waitingLetters()).length });
  if (result.sent + result.failed > 0) channel.postMessage(result);
  return result;
}

const BY_THE_CLOCK = { answered, now: Date.now, random: Math.random };

/** Note what became of a letter, unless a newer one on the same scan waits meanwhile. */
async function settle({ key, body }: Letter, opinion: Opinion): Promise<void> {
  if ((await waitingLetters()).some((each) => each.key === key)) await setOpinion(body.scanId, opinion);
  await dropLetter(key);
}

async function send(bearer: string, letter: Letter): Promise<void> {
  const headers = { "Idempotency-Key": letter.key };
  const { scanId } = letter.body;
  const sent = sentOf(letter, (await keptScan(scanId))?.onServer);
  if ("feedback" in sent) return void (await call(bearer, "POST", "/feedback", sent.feedback, headers));
  const taken = await call<{ scanId: string; verdict: string }>(bearer, "POST", "/device/reports", sent.report, headers);
  await setOnServer(scanId, { id: taken.scanId, verdict: taken.verdict });
}

/** Delete on the server what was deleted here; note in `result` what came of it. */
function sendRemovals(bearer: string, result: Delivery): Promise<Round> {
  const done = async ({ scanId }: Removal): Promise<void> => {
    result.removed += 1;
    await dropRemoval(scanId);
  };
  return sendRound<Removal & Waiting>({
    ...BY_THE_CLOCK,
    waiting: async () => (await waitingRemovals()).map((removal) => ({ ...removal, key: removal.scanId })),
    async send({ scanId }) {
      const path = scanId === EVERYTHING ? "/scans" : `/scans/${scanId}`;
      result.learned.push(...(await call<{ versions: string[] }>(bearer, "DELETE", path)).versions);
    },
    arrived: done,
    // What the server does not have (404, or a name that is none) is as good as deleted.
    refused: done,
    amend: amendRemoval,
  });
}
