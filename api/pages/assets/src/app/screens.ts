// One thing at a time: the field with what was scanned before, or the answer to one scan. "Back" of the phone goes back.
import type { ShieldResultCard } from "../elements";
import { must } from "../lib/dom";
import { failureCard, resultCard, showIn, type Actions } from "./card";
import { whyNot } from "./failure";
import { scanRow } from "./history";
import { focusField } from "./input";
import { readAsking } from "./judge";
import { keptScans, type KeptScan } from "./store";

export type Screens = Omit<Actions, "back"> & {
  /** Try once more what came to nothing. */
  scanAgain(): void;
  /** Delete all scans, here and on the server. */
  removeAll(): void;
};

let actions: Screens;
let card: ShieldResultCard;
let current: string | null = null;
let failed: unknown;

export function startScreens(given: Screens): void {
  actions = given;
  card = resultCard({ ...actions, back });
  must("#result").append(card);
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
  card.focus({ preventScroll: true });
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
  must<HTMLElement>("#failure shield-result-card").focus();
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
  const [scans, asking] = await Promise.all([keptScans(), readAsking()]);
  const shown = scans.find((each) => each.id === current);
  const home = must<HTMLElement>("#home");
  const result = must<HTMLElement>("#result");
  home.hidden = shown !== undefined;
  result.hidden = shown === undefined;
  if (shown) showIn(card, shown, { ...actions, back }, asking);
  else card.scan = null;
  must("#failure").replaceChildren(...(failed === undefined ? [] : [failureCard(whyNot(failed), () => actions.scanAgain())]));
  must<HTMLElement>("#recent").hidden = scans.length === 0;
  must<HTMLElement>("#welcome").hidden = scans.length > 0;
  must("#recent-list").replaceChildren(...scans.map((each) => scanRow(each, (scan) => void open(scan))));
}
