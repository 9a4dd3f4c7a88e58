// Sends waiting feedback, oldest first, after what is to be deleted. Runs in the page and in the service worker; a lock keeps them apart.
import { exclusively, openChannel } from "../lib/features";
import { dropLetter, dropRemoval, EVERYTHING, setOnServer, setOpinion, token, waitingLetters, waitingRemovals, type Letter } from "./store";
import { call, Refused, Unreachable } from "./wire";

export interface Delivery {
  sent: number;
  failed: number;
  waiting: number;
  /** The server no longer knows the token: ask the user to sign in; nothing is lost. */
  signedOut: boolean;
  retryAfterSeconds: number | null;
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
  const result: Delivery = { sent: 0, failed: 0, waiting: 0, signedOut: false, retryAfterSeconds: null, removed: 0, learned: [] };
  const bearer = await token.read();
  const letters = await waitingLetters();
  if (bearer === undefined) return { ...result, waiting: letters.length, signedOut: letters.length > 0 };
  if (!(await sendRemovals(bearer, result))) return { ...result, waiting: letters.length };

  for (const letter of letters) {
    try {
      await send(bearer, letter);
      await setOpinion(letter.body.scanId, { state: "sent", scam: letter.scam });
      result.sent += 1;
    } catch (error) {
      const refused = refusedForGood(error, result);
      if (!refused) break;
      await setOpinion(letter.body.scanId, { state: "failed", scam: letter.scam, slug: refused.slug, message: refused.message });
      result.failed += 1;
    }
    await dropLetter(letter.key);
  }
  result.waiting = (await waitingLetters()).length;
  if (result.sent + result.failed > 0) channel.postMessage(result);
  return result;
}

async function send(bearer: string, letter: Letter): Promise<void> {
  const headers = { "Idempotency-Key": letter.key };
  const { scanId, serverId = scanId, ...said } = letter.body;
  if (letter.report === undefined) return void (await call(bearer, "POST", "/feedback", { ...said, scanId: serverId }, headers));
  const taken = await call<{ scanId: string; verdict: string }>(bearer, "POST", "/device/reports", letter.report, headers);
  await setOnServer(scanId, { id: taken.scanId, verdict: taken.verdict });
}

/** What was refused for good; null where it is kept for later: no network, server trouble, too fast, signed out. */
function refusedForGood(error: unknown, result: Delivery): Refused | null {
  if (error instanceof Unreachable) return null;
  if (!(error instanceof Refused)) throw error;
  if (error.status === 401) result.signedOut = true;
  else if (error.status === 429 || error.status >= 500) result.retryAfterSeconds = error.retryAfterSeconds ?? 30;
  else return error;
  return null;
}

/** Delete on the server what was deleted here; tells whether all of it is done. */
async function sendRemovals(bearer: string, result: Delivery): Promise<boolean> {
  for (const { scanId } of await waitingRemovals()) {
    try {
      const erased = await call<{ versions: string[] }>(bearer, "DELETE", scanId === EVERYTHING ? "/scans" : `/scans/${scanId}`);
      result.learned.push(...erased.versions);
    } catch (error) {
      // What the server does not have (404, or a name that is none) is as good as deleted.
      if (!refusedForGood(error, result)) return false;
    }
    result.removed += 1;
    await dropRemoval(scanId);
  }
  return true;
}
