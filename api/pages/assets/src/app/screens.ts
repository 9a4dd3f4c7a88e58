// One thing at a time: the field with what was scanned before, or the answer to one scan. "Back" of the phone goes back.
import { h, must } from "../lib/dom";
import { resultCard, type Actions } from "./card";
import { failureCard } from "./failure";
import { scanRow } from "./history";
import { focusField } from "./input";
import { keptScans, type KeptScan } from "./store";
import { say } from "./words";

export type Screens = Omit<Actions, "back"> & {
  /** Try once more what came to nothing. */
  scanAgain(): void;
  /** Delete all scans, here and on the server. */
  removeAll(): void;
};

let actions: Screens;
let current: string | null = null;
let failed: unknown;

export function startScreens(given: Screens): void {
  actions = given;
  window.history.replaceState(null, "", window.location.href);
  window.addEventListener("popstate", (event) => {
    current = (event.state as { scan?: string } | null)?.scan ?? null;
    void showScans().then(() => current === null && focusField());
  });
  must("#clear").addEventListener("click", () => actions.removeAll());
}

/** Show the answer to a scan, as a screen of its own. */
export async function open(scan: KeptScan): Promise<void> {
  const was = current;
  current = scan.id;
  failed = undefined;
  if (was === null) window.history.pushState({ scan: scan.id }, "");
  else window.history.replaceState({ scan: scan.id }, "");
  await showScans();
  window.scrollTo(0, 0);
  must<HTMLElement>("#verdict").focus({ preventScroll: true });
}

/** Back to the field. */
export function back(): void {
  if (current !== null) window.history.back();
}

/** No answer, and none of a former scan either: what happened stands in its place. */
export async function openFailure(error: unknown): Promise<void> {
  failed = error;
  if (current !== null) back();
  await showScans();
  must<HTMLElement>("#failed").focus();
}

/** Forget what is shown; nothing of a former scan must stand beside a new one. */
export function clearAnswer(): void {
  failed = undefined;
  if (current === null) return;
  current = null;
  window.history.replaceState(null, "");
}

/** Show what is kept, as it is now. */
export async function showScans(): Promise<void> {
  const scans = await keptScans();
  const shown = scans.find((each) => each.id === current);
  const home = must<HTMLElement>("#home");
  const result = must<HTMLElement>("#result");
  home.hidden = shown !== undefined;
  result.hidden = shown === undefined;
  if (shown) refresh(result, resultCard(shown, { ...actions, back }));
  else result.replaceChildren();
  must("#failure").replaceChildren(...(failed === undefined ? [] : [failureCard(failed, () => actions.scanAgain())]));
  must<HTMLElement>("#recent").hidden = scans.length === 0;
  must<HTMLElement>("#welcome").hidden = scans.length > 0;
  must("#recent-list").replaceChildren(...scans.map((each) => scanRow(each, (scan) => void open(scan))));
}

/** Draw a card anew without closing what its reader has opened in it, or taking the focus away. */
function refresh(place: HTMLElement, card: HTMLElement): void {
  const before = place.querySelector<HTMLElement>("article.result");
  const same = before?.dataset.scan === current;
  card.dataset.scan = current ?? "";
  const help = same ? before?.querySelector(".happened[open]") : null;
  if (help && before?.lang === document.documentElement.lang) card.querySelector(".happened")?.replaceWith(help);
  card.lang = document.documentElement.lang;
  const focused = same && document.activeElement?.id === "verdict";
  place.replaceChildren(h("h1", { class: "visually-hidden" }, say("title")), card);
  if (focused) must<HTMLElement>("#verdict").focus({ preventScroll: true });
}
