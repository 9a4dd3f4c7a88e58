// Sends waiting feedback, oldest first, after what is to be deleted. Runs in the page and in the service worker; a lock keeps them apart.
import { exclusively, openChannel } from "../lib/features";
import { ruleOf, type Rule } from "../lib/rules";
import { dropLetter, dropRemoval, EVERYTHING, setOnServer, setOpinion, token, waitingLetters, waitingRemovals, type Letter } from "./store";
import { call, Refused, Unreachable } from "./wire";

export interface Delivery {
  sent: number;
  failed: number;
  waiting: number;
  /** The server no longer knows the token: ask the user to sign in; nothing is lost. */
  signedOut: boolean;
  /** When to try again, where something waits for a pause to end. */
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
  const held = (heldUntil - Date.now()) / 1000;
  if (held > 0) return { ...result, waiting: letters.length, retryAfterSeconds: held };
  if (!(await sendRemovals(bearer, result))) return { ...result, waiting: letters.length };

  for (const letter of letters) {
    const rule = await ruleAfter(letter.key, () => send(bearer, letter), result);
    if (rule?.do === "wait" && rule.held === "letter") continue;
    if (rule && rule.do !== "refused") break;
    if (!rule) {
      await setOpinion(letter.body.scanId, { state: "sent", scam: letter.scam });
      result.sent += 1;
    } else {
      await setOpinion(letter.body.scanId, { state: "failed", scam: letter.scam, slug: rule.slug, status: rule.status });
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

/** Tries without success, by letter or deletion, since the page or the worker began: pauses grow with them. */
const attempts = new Map<string, number>();
/** Until then the server wants to be sent nothing, whatever is tapped meanwhile. Milliseconds of the epoch. */
let heldUntil = 0;

/** Do what sends `key`, and return what its failure asks for; null: it has arrived. A pause, and a missing token, are noted in `result`. */
async function ruleAfter(key: string, send: () => Promise<void>, result: Delivery): Promise<(Rule & { slug?: string; status?: number }) | null> {
  try {
    await send();
    attempts.delete(key);
    return null;
  } catch (error) {
    const tried = (attempts.get(key) ?? 0) + 1;
    attempts.set(key, tried);
    if (!(error instanceof Unreachable || error instanceof Refused)) throw error;
    const rule = ruleOf(error instanceof Refused ? error : null, tried);
    if (rule.do === "sign-in") result.signedOut = true;
    if (rule.do === "wait") {
      if (rule.held === "all") heldUntil = Date.now() + 1000 * rule.seconds;
      // What holds up one letter alone does not put off the others.
      result.retryAfterSeconds = rule.held === "letter" ? Math.min(result.retryAfterSeconds ?? Infinity, rule.seconds) : rule.seconds;
    }
    return error instanceof Refused ? { ...rule, slug: error.slug, status: error.status } : rule;
  }
}

/** Delete on the server what was deleted here; tells whether all of it is done. */
async function sendRemovals(bearer: string, result: Delivery): Promise<boolean> {
  for (const { scanId } of await waitingRemovals()) {
    const rule = await ruleAfter(
      scanId,
      async () => {
        const path = scanId === EVERYTHING ? "/scans" : `/scans/${scanId}`;
        result.learned.push(...(await call<{ versions: string[] }>(bearer, "DELETE", path)).versions);
      },
      result,
    );
    // What the server does not have (404, or a name that is none) is as good as deleted.
    if (rule && rule.do !== "refused") return false;
    result.removed += 1;
    await dropRemoval(scanId);
  }
  return true;
}
