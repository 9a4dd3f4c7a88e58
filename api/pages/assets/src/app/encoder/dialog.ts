// The dialog in which the owner of a phone has it judge as exactly as the server does, told what that takes.
import { h, must, toast } from "../../lib/dom";
import { Untrusted } from "../../judge/trust";
import { ask } from "../asking";
import { explain } from "../problems";
import { SCAN_TYPES } from "../../lib/scan-types";
import type { ScanType } from "../wire";
import { megabytes, say, type Key } from "../words";
import { fails, load, metered, remove, size, Unable, want, wanted } from "./here";

const dialog = must<HTMLDialogElement>("#encoder");
let running: AbortController | null = null;

/** Make the dialog work. */
export function startEncoder(): void {
  must("#encoder-open").addEventListener("click", () => void open());
  must("#encoder-cancel").addEventListener("click", () => running?.abort());
  dialog.addEventListener("close", () => running?.abort());
}

async function open(): Promise<void> {
  must("#encoder-problem").textContent = "";
  must("#encoder-kinds").replaceChildren(h("li", {}, say("encoder.looking")));
  show("ask");
  dialog.showModal();
  await showKinds();
}

/** One line for each kind of message that a version here judges. */
async function showKinds(): Promise<void> {
  const lines: HTMLElement[] = [];
  for (const scanType of Object.keys(SCAN_TYPES) as ScanType[]) {
    try {
      const bytes = await size(scanType);
      if (bytes !== null) lines.push(line(scanType, bytes, await fails(scanType)));
    } catch (error) {
      // Without a network it can still be removed.
      if (wanted().includes(scanType)) lines.push(line(scanType, 1, false));
      else must("#encoder-problem").textContent = explain(error);
    }
  }
  must("#encoder-kinds").replaceChildren(...(lines.length > 0 ? lines : [h("li", {}, say("encoder.none"))]));
}

function line(scanType: ScanType, bytes: number, failed: boolean): HTMLElement {
  const chosen = wanted().includes(scanType);
  const here: Key = failed ? "encoder.failing" : "encoder.ready";
  const kind = say(`kind.${scanType}`);
  const state = !chosen ? say("encoder.size", { size: megabytes(bytes) }) : say(bytes === 0 ? here : "encoder.waiting");
  const button = (word: "encoder.load" | "encoder.again" | "encoder.remove", act: () => Promise<void>): HTMLButtonElement => {
    const made = h("button", { type: "button" }, say(word));
    made.ariaLabel = `${say(word)}: ${kind}`;
    made.addEventListener("click", () => void act());
    return made;
  };
  const buttons = [
    ...(chosen && bytes === 0 && !failed ? [] : [button(failed ? "encoder.again" : "encoder.load", () => start(scanType, bytes))]),
    ...(chosen ? [button("encoder.remove", () => removed(scanType))] : []),
  ];
  return h("li", {}, h("span", {}, h("strong", {}, kind), " ", state), h("span", { class: "actions" }, ...buttons));
}

async function start(scanType: ScanType, bytes: number): Promise<void> {
  const what = say("encoder.meteredQuestion", { size: megabytes(bytes) });
  if (metered() && !(await ask({ title: say("encoder.metered"), what, yes: say("encoder.loadNow") }))) {
    // Wanted all the same: it is loaded once that costs nothing.
    want(scanType, true);
    return showKinds();
  }
  const { signal } = (running = new AbortController());
  show("busy");
  must("#encoder-problem").textContent = "";
  let here = 0;
  try {
    await load(scanType, { signal, arrived: (more) => tell((here += more) / bytes) });
    want(scanType, true);
    toast(say("encoder.loaded"));
  } catch (error) {
    if (!signal.aborted) must("#encoder-problem").textContent = say(why(error));
  }
  running = null;
  show("ask");
  await showKinds();
}

/** What a failed download means for people: wait for a network, another network, or another phone. */
function why(error: unknown): Key {
  if (error instanceof Unable) return "encoder.unable";
  return error instanceof Untrusted ? "encoder.untrusted" : "encoder.failed";
}

async function removed(scanType: ScanType): Promise<void> {
  await remove(scanType);
  await showKinds();
  toast(say("encoder.removed"));
}

function show(state: "ask" | "busy"): void {
  must<HTMLElement>("#encoder-kinds").hidden = state === "busy";
  must<HTMLElement>("#encoder-work").hidden = state === "ask";
  must<HTMLElement>("#encoder-close").hidden = state === "busy";
  tell(0);
}

function tell(share: number): void {
  must<HTMLProgressElement>("#encoder-progress").value = share;
}
