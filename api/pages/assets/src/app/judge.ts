// The judge on this phone, for the views: judge a text, follow the release in force, count what was said. Loads nothing
// until it is asked, and never sends a text.
import { tallied, type Tally } from "../judge/counting";
import type { Characters } from "../judge/characters";
import { matched, type KnownMatch } from "../judge/known";
import type { Judge, Judgement } from "../judge/model";
import { amendTally, dropTally, forgetChoices, readKnown, readSetting, readShelf, tallies, writeKnown, writeSetting, writeShelf, writeTally } from "../judge/shelf";
import { followed, followedKnown, opened, type Network } from "../judge/update";
import type { Pins, SignedKnown, SignedRelease } from "../judge/trust";
import { SCAN_TYPES } from "../lib/scan-types";
import { isStopped, sendRound } from "../lib/sending";
import { followEncoders, judgeWhole } from "./encoder/here";
import { holding, unkeptLots, waitingLots } from "./outbox";
import { token } from "./store";
import { answered, call, Refused, Unreachable, type ScanType } from "./wire";
import { exclusively, patience, uuid } from "../lib/features";

export { forgetChoices };

/** Whether texts may go to the server: at each tap that asks for it, for every scan, or not at all. */
export type Asking = "never" | "ask" | "always";

export interface HereJudgement extends Judgement {
  version: string;
  /** What reviewers have decided of messages like it. It answers before the judge does, and is no part of what the judge is measured by. */
  known: KnownMatch | null;
  /** What the whole predictor says, where its owner has loaded it. It answers before the judge does, too. */
  whole: Judgement | null;
}

export interface JudgeStatus {
  /** The version that judges here; null: none does, and the server is asked. */
  version: string | null;
  /** When the release in force was last looked up, in milliseconds since 1970; null: not since the page was opened. */
  checkedAt: number | null;
  /** Why the latest release was not taken; the former one goes on. */
  problem: string | null;
}

const HOUR = 3_600_000;
/** A text leaves the phone when a person taps for it: who shares a private message decides about that message. */
const DEFAULT_ASKING: Asking = "ask";
interface Loaded {
  judge: Judge;
  version: string;
  /** Of the package. */
  digest: string;
}

const judges = new Map<ScanType, Promise<Loaded | null>>();
const statuses = new Map<ScanType, JudgeStatus>();
const UNKNOWN: JudgeStatus = { version: null, checkedAt: null, problem: null };
let timer: number | undefined;

/** Look up the releases now and every hour while the page is open. */
export async function followReleases(): Promise<void> {
  try {
    await exclusively("antispam-shield-judge", async () => {
      for (const scanType of Object.keys(SCAN_TYPES) as ScanType[]) await follow(scanType);
      await sendCounts();
    });
  } finally {
    // One timer, whatever failed and however many have asked.
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void followReleases(), HOUR);
  }
  void followEncoders();
}

/** What the judge on this phone says; null: there is none for such messages. */
export async function judgeHere(text: string, scanType: ScanType): Promise<HereJudgement | null> {
  const loaded = await load(scanType).catch(() => null);
  if (loaded === null) return null;
  // As the server reads it: half an emoji counts as U+FFFD.
  const whole = text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
  return {
    ...loaded.judge.judge(whole),
    version: loaded.version,
    known: await knownHere(whole, scanType, loaded.judge),
    whole: await judgeWhole(whole, scanType, loaded.digest),
  };
}

/** Unicode by the tables of the judge on this phone; null: there is none for such messages. */
export async function charactersOf(scanType: ScanType): Promise<Characters | null> {
  return (await load(scanType).catch(() => null))?.judge.characters ?? null;
}

async function knownHere(text: string, scanType: ScanType, judge: Judge): Promise<KnownMatch | null> {
  const known = await readKnown(scanType).catch(() => null);
  if (known === null || Date.parse(known.until) < Date.now()) return null;
  return matched(known, text, judge.characters);
}

/** Count an answer that a person was given by this phone alone. */
export async function countHere(said: HereJudgement, scanType: ScanType): Promise<void> {
  const answer = said.certainty === "unsure" ? "unsure" : said.scam ? "scam" : "harmless";
  await exclusively("antispam-shield-tally", async () => {
    await writeTally(tallied(await tallies(), { scanType, version: said.version, answer }, uuid));
  });
}

/** No text may leave this phone, and it has no judge for such messages. */
export class NobodyHere extends Error {}

export function statusOf(scanType: ScanType): JudgeStatus {
  return statuses.get(scanType) ?? UNKNOWN;
}

export async function readAsking(): Promise<Asking> {
  // Where nobody can tell what was chosen, nothing leaves.
  const kept = await readSetting("asking").catch(() => "never");
  return kept === "never" || kept === "always" ? kept : DEFAULT_ASKING;
}

export async function writeAsking(asking: Asking): Promise<void> {
  await writeSetting("asking", asking);
}

function load(scanType: ScanType): Promise<Loaded | null> {
  let loading = judges.get(scanType);
  if (loading === undefined) {
    loading = readShelf(scanType).then(({ current }) => {
      note(scanType, { version: current?.release.version ?? null });
      return current && { judge: opened(current), version: current.release.version, digest: current.release.package };
    });
    judges.set(scanType, loading);
    // What could not be read now may be readable at the next message.
    loading.catch(() => judges.delete(scanType));
  }
  return loading;
}

async function follow(scanType: ScanType): Promise<void> {
  try {
    const bearer = (await token.read()) ?? "";
    await followKnown(scanType, bearer);
    const shelf = await readShelf(scanType);
    const next = await followed(shelf, scanType, network(bearer), pins());
    if (next !== shelf) {
      await writeShelf(scanType, next);
      judges.delete(scanType);
    }
    note(scanType, { version: next.current?.release.version ?? null, checkedAt: Date.now(), problem: null });
  } catch (error) {
    // Offline, or nothing to be trusted: what is here goes on judging.
    if (!(error instanceof Unreachable)) note(scanType, { problem: error instanceof Error ? error.message : String(error) });
  }
}

/** What reviewers have decided meanwhile, or taken back. */
async function followKnown(scanType: ScanType, bearer: string): Promise<void> {
  const here = await readKnown(scanType);
  try {
    const next = await followedKnown(here, await call<SignedKnown>(bearer, "GET", `/device/${scanType}/known`), scanType, pins());
    if (next !== here) await writeKnown(scanType, next);
  } catch (error) {
    // An older server has no such list.
    if (!(error instanceof Refused && error.status === 404)) throw error;
  }
}

function note(scanType: ScanType, change: Partial<JudgeStatus>): void {
  statuses.set(scanType, { ...statusOf(scanType), ...change });
}

/** The keys that came with the page. */
function pins(): Pins {
  const keys = document.querySelector<HTMLMetaElement>("meta[name=shield-pins]")?.content;
  return keys ? (JSON.parse(keys) as Pins) : { releases: {}, packages: {} };
}

function network(bearer: string): Network {
  return {
    release: (scanType) => call<SignedRelease>(bearer, "GET", `/device/${scanType}/release`),
    async file(scanType, digest, name) {
      let answer: Response;
      try {
        answer = await fetch(`/api/v2/device/${scanType}/files/${digest}/${name}`, {
          headers: { Authorization: `Bearer ${bearer}` },
          credentials: "omit",
          signal: patience(60_000),
        });
      } catch {
        throw new Unreachable("No connection to the server.");
      }
      if (!answer.ok) throw new Error(`${name} could not be fetched: the server answered ${answer.status}.`);
      return new Uint8Array(await answer.arrayBuffer());
    },
  };
}

/** Send the lots, by the rules of the outbox. Not when one is full, but with the look-ups: nobody is told when a message was judged. */
async function sendCounts(): Promise<void> {
  const bearer = await token.read();
  if (bearer === undefined || isStopped(await holding(), Date.now())) return;
  await exclusively("antispam-shield-lots", () =>
    sendRound<Tally>({
      unkept: unkeptLots,
      waiting: waitingLots,
      async send({ scanType, version, counts, key }) {
        await call(bearer, "POST", `/device/${scanType}/counts`, { version, ...counts }, { "Idempotency-Key": key });
      },
      answered,
      arrived: ({ key }) => dropTally(key),
      // A version that this server never had.
      refused: ({ key }) => dropTally(key),
      amend: amendTally,
      now: Date.now,
      random: Math.random,
    }),
  );
}
