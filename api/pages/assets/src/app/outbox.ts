// Sends waiting feedback, oldest first. Runs in the page and in the service worker; a lock keeps them apart.
import { exclusively, openChannel } from "../lib/features";
import { dropLetter, setOpinion, token, waitingLetters } from "./store";
import { call, Refused, Unreachable } from "./wire";

export interface Delivery {
  sent: number;
  failed: number;
  waiting: number;
  /** The server no longer knows the token: ask the user to sign in; nothing is lost. */
  signedOut: boolean;
  retryAfterSeconds: number | null;
}

/** Told to open pages whenever letters were sent or refused, whoever sent them. */
export const channel = openChannel("antispam-shield-outbox");

export async function deliver(): Promise<Delivery> {
  return exclusively("antispam-shield-outbox", sendAll);
}

async function sendAll(): Promise<Delivery> {
  const result: Delivery = { sent: 0, failed: 0, waiting: 0, signedOut: false, retryAfterSeconds: null };
  const bearer = await token.read();
  const letters = await waitingLetters();
  if (bearer === undefined) return { ...result, waiting: letters.length, signedOut: letters.length > 0 };

  for (const letter of letters) {
    try {
      await call(bearer, "POST", "/feedback", letter.body, { "Idempotency-Key": letter.key });
      await setOpinion(letter.body.scanId, { state: "sent", scam: letter.scam });
      result.sent += 1;
    } catch (error) {
      // Kept for later: no network, server trouble, too fast, or signed out. Refused for good: told to the user.
      if (error instanceof Unreachable) break;
      if (!(error instanceof Refused)) throw error;
      if (error.status === 401) {
        result.signedOut = true;
        break;
      }
      if (error.status === 429 || error.status >= 500) {
        result.retryAfterSeconds = error.retryAfterSeconds ?? 30;
        break;
      }
      await setOpinion(letter.body.scanId, { state: "failed", scam: letter.scam, message: error.message });
      result.failed += 1;
    }
    await dropLetter(letter.key);
  }
  result.waiting = (await waitingLetters()).length;
  if (result.sent + result.failed > 0) channel.postMessage(result);
  return result;
}
