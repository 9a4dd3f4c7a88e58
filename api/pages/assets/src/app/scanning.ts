// From what is in the field to its answer, or to what happened instead.
import { must, toast } from "../lib/dom";
import { clearDraft, draft, focusField, type Draft } from "./input";
import { clearAnswer, open, openFailure, showScans } from "./screens";
import { keepScan, token, type KeptScan } from "./store";
import { call, Refused, type Scan } from "./wire";
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
    await keepScan(kept);
    clearDraft();
    await open(kept);
  } catch (error) {
    await openFailure(error);
    if (error instanceof Refused && error.status === 401) await signedOut();
  } finally {
    busy(false);
  }
}

async function judge(given: Draft): Promise<KeptScan> {
  const bearer = (await token.read()) ?? "";
  if ("text" in given) return { ...(await call<Scan>(bearer, "POST", "/scans", given)), text: given.text };
  const answer = await call<Scan>(bearer, "POST", "/scans/mail", { mail: given.mail });
  // The server tells what it has read in the mail only when it is asked.
  const read = await call<Scan>(bearer, "GET", `/scans/${answer.id}`).catch(() => answer);
  return { ...answer, text: read.text ?? given.name };
}

function busy(is: boolean): void {
  button.disabled = is;
  button.setAttribute("aria-busy", String(is));
  must("span", button).textContent = say(is ? "input.busy" : "input.scan");
}
