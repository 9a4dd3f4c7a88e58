// Which kinds of messages can be judged now: the others are not offered, and it is said why.
import { must } from "../lib/dom";
import { call, type ScanType, type Serving } from "./wire";
import { list, say } from "./words";

const FIRST_SECONDS = 2;
const LONGEST_SECONDS = 60;
let timer: number | undefined;
let pause = FIRST_SECONDS;
let known = new Map<ScanType, boolean>();

/** Ask the server, show what it says, and go on asking while something is missing. */
export async function watchServing(token: () => Promise<string | undefined>, changed: () => void): Promise<void> {
  window.clearTimeout(timer);
  const bearer = await token();
  if (bearer === undefined) return;
  try {
    const kinds = await call<Serving[]>(bearer, "GET", "/scans/types");
    known = new Map(kinds.map((each) => [each.scanType, each.serves]));
    showServing();
    changed();
  } catch {
    // Offline, or an older server, which does not tell: everything stays on offer.
    return;
  }
  if ([...known.values()].every((serves) => serves)) return;
  timer = window.setTimeout(() => void watchServing(token, changed), 1000 * pause);
  // What is not there after some minutes was perhaps never set up.
  pause = Math.min(LONGEST_SECONDS, 1.2 * pause);
}

/** Show what is known, e.g. in another language than before. */
export function showServing(): void {
  const choices = [...document.querySelectorAll<HTMLInputElement>("input[name=scanType]")];
  const there = (input: HTMLInputElement): boolean => known.get(input.value as ScanType) ?? true;
  for (const input of choices) {
    must<HTMLElement>(`label[data-type=${input.value}]`).hidden = !there(input);
  }
  const first = choices.find(there);
  if (first && !choices.some((input) => input.checked && there(input))) first.checked = true;
  must<HTMLButtonElement>("#scan").disabled = first === undefined;
  const notice = must<HTMLElement>("#not-yet");
  const waiting = choices.filter((input) => !there(input)).map((input) => say(`kind.${input.value as ScanType}`));
  notice.hidden = waiting.length === 0;
  notice.textContent = first === undefined ? say("notYet.all") : say("notYet.some", { kinds: list(waiting) });
}
