// From what is in the field to its answer, or to what happened instead.
import { must, toast } from "../lib/dom";
import { ask } from "./asking";
import { clearDraft, draft, focusField, type Draft } from "./input";
import { clearAnswer, open, openFailure, showScans } from "./screens";
import { uuid } from "../lib/features";
import { countHere, judgeHere, NobodyHere, readAsking, type HereJudgement } from "./judge";
import { explainHere } from "./explaining";
import { explain } from "./problems";
import { opinionOf, type DeviceOpinion } from "../lib/letters";
import { SCAN_TYPES } from "../lib/scan-types";
import { keepScan, keptScan, replaceScan, token, type KeptScan } from "./store";
import { call, Refused, Unreachable, type Scan } from "./wire";
import { say } from "./words";

const button = must<HTMLButtonElement>("#scan");

/** Scan what is in the field. The field is emptied once its answer is kept, and not before. */
export async function scanDraft(signedOut: () => Promise<void>): Promise<void> {
  const given = draft();
  if (given === null) {
    focusField();
    return toast(say("input.empty"), "bad");
  }
  clearAnswer();
  await showScans();
  busy(true);
  try {
    const kept = await judge(given);
    if (kept === null) {
      busy(false);
      return button.focus();
    }
    await keepScan(kept);
    clearDraft(given);
    await open(kept);
  } catch (error) {
    await openFailure(error);
    if (error instanceof Refused && error.status === 401) await signedOut();
  } finally {
    busy(false);
  }
}

/** The answer to what was given; null: it was not to be sent after all. */
async function judge(given: Draft): Promise<KeptScan | null> {
  const asking = await readAsking();
  const here = await judgeHere(given.text, given.scanType);
  if (here !== null && asking !== "always") return judgedHere(given, here);
  if (asking === "never") throw new NobodyHere();
  // A mail holds more than what somebody has pasted or typed here, and its reader has not seen it on this page.
  const question = { title: say("mail.question"), what: say("mail.why"), yes: say("mail.send") };
  if (given.fromMail && asking === "ask" && !(await ask(question))) return null;
  try {
    return await askServer(given, here);
  } catch (error) {
    if (here === null || !(error instanceof Unreachable)) throw error;
    return judgedHere(given, here);
  }
}

/** Keep what this phone says by itself: nothing is sent. A known scam is told as such; what is counted and reported is what the judge has said. */
async function judgedHere({ scanType, text }: Draft, said: HereJudgement): Promise<KeptScan> {
  // An answer is worth more than its count.
  await countHere(said, scanType).catch(() => undefined);
  const { version: modelVersion, known } = said;
  const { label, confidence, certainty: sure } = said.whole ?? said;
  const labels = SCAN_TYPES[scanType].labels;
  const verdict = known ? labels[1] : label;
  const certainty = known ? (known.standing === "confirmed" ? "sure" : "unsure") : sure;
  const told = await explainHere(text, { scanType, flagged: verdict === labels[1], sure: certainty === "sure" });
  const scan: KeptScan = { id: uuid(), scanType, verdict, confidence, certainty, modelVersion, ...told, createdAt: new Date().toISOString(), text, judgedHere: true };
  // What is counted and reported is what the judge has said, whoever answered.
  const judgeSaid = { verdict: said.label, certainty: said.certainty };
  if (said.whole) Object.assign(scan, { judgedWhole: true, judgeSaid });
  if (known === null) return scan;
  const { standing, entry } = known;
  const decided = standing === "confirmed" ? { decidedBy: "reviewers" } : {};
  // What the filter makes of the message as a whole is not why.
  const reasons = told.reasons?.filter(({ kind }) => kind !== "whole");
  return { ...scan, ...decided, ...(reasons ? { reasons } : {}), knownHere: { standing, decidedOn: entry.decidedOn }, judgeSaid };
}

async function askServer({ scanType, text }: Draft, here: HereJudgement | null): Promise<KeptScan> {
  const device: DeviceOpinion | undefined = here ? { version: here.version, verdict: here.label, certainty: here.certainty } : undefined;
  const bearer = (await token.read()) ?? "";
  return { ...(await call<Scan>(bearer, "POST", "/scans", { scanType, text, ...(device ? { device } : {}) })), text };
}

/** The person asks the server about what this phone has judged: its answer takes the place of the phone's. */
export async function askAboutScan(scanId: string, signedOut: () => Promise<void>): Promise<void> {
  try {
    const scan = await keptScan(scanId);
    if (!scan) return;
    const { scanType, text } = scan;
    const bearer = (await token.read()) ?? "";
    const answer = { ...(await call<Scan>(bearer, "POST", "/scans", { scanType, text, device: opinionOf(scan) })), text };
    await replaceScan(scan, answer);
    await open(answer);
  } catch (error) {
    toast(explain(error), "bad");
    if (error instanceof Refused && error.status === 401) await signedOut();
  }
}

function busy(is: boolean): void {
  button.disabled = is;
  button.setAttribute("aria-busy", String(is));
  must("span", button).textContent = say(is ? "input.busy" : "input.scan");
}
