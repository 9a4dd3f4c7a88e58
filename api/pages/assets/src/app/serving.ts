// Which kinds of messages can be judged now: the others are not offered, and it is said why.
import { must } from "../lib/dom";
import { SCAN_TYPES } from "./scan-types";
import { call, type ScanType, type Serving } from "./wire";

const FIRST_SECONDS = 2;
const LONGEST_SECONDS = 60;
let timer: number | undefined;
let pause = FIRST_SECONDS;

/** Ask the server, show what it says, and go on asking while something is missing. */
export async function watchServing(token: () => Promise<string | undefined>, changed: () => void): Promise<void> {
  window.clearTimeout(timer);
  const bearer = await token();
  if (bearer === undefined) return;
  let missing = true;
  try {
    const kinds = await call<Serving[]>(bearer, "GET", "/scans/types");
    show(new Map(kinds.map((each) => [each.scanType, each.serves])));
    missing = kinds.some((each) => !each.serves);
    changed();
  } catch {
    // Offline, or an older server, which does not tell: everything stays on offer.
    return;
  }
  if (!missing) return;
  timer = window.setTimeout(() => void watchServing(token, changed), 1000 * pause);
  // What is not there after some minutes was perhaps never set up.
  pause = Math.min(LONGEST_SECONDS, 1.2 * pause);
}

function show(serves: Map<ScanType, boolean>): void {
  const choices = [...document.querySelectorAll<HTMLInputElement>("input[name=scanType]")];
  const there = (input: HTMLInputElement): boolean => serves.get(input.value as ScanType) ?? true;
  for (const input of choices) {
    must<HTMLElement>(`label[data-type=${input.value}]`).hidden = !there(input);
  }
  const first = choices.find(there);
  if (first && !choices.some((input) => input.checked && there(input))) first.checked = true;
  must<HTMLButtonElement>("#scan").disabled = first === undefined;
  const notice = must<HTMLElement>("#not-yet");
  const waiting = choices.filter((input) => !there(input)).map((input) => SCAN_TYPES[input.value as ScanType].noun);
  notice.hidden = waiting.length === 0;
  notice.textContent =
    first === undefined
      ? "Not yet: the filter is still learning its first lessons. This takes about half a minute; this page looks again by itself."
      : `Not yet: ${waiting.join(", ")}. Their filter is still being trained, or has not been set up. They appear here by themselves.`;
}
