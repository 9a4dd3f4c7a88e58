// The app's cards: `<shield-result-card>` with what this app alone knows of a scan, the way back, and deleting.
import "../elements";
import type { ShieldResultCard, ShownScan } from "../elements";
import { h, icon, toast } from "../lib/dom";
import type { Standing } from "../lib/verdicts";
import { outbox } from "./feedback";
import type { Asking } from "./judge";
import type { KeptScan } from "./store";
import { day, say, type Key } from "./words";

export interface Actions {
  remove(scan: KeptScan): void;
  /** Send what this phone judged by itself to the server, to be judged and explained. */
  askServer(scanId: string): void;
  /** Ask for a new token. */
  signIn(): void;
  back(): void;
}

/** How each answer looks in a list. */
export const LOOKS: Record<Standing, { style: string; icon: string; row: Key }> = {
  scam: { style: "scam", icon: "warning", row: "row.scam" },
  harmless: { style: "safe", icon: "check", row: "row.harmless" },
  unsure: { style: "unsure", icon: "unsure", row: "row.unsure" },
};

/** A card that shows one scan after the other. */
export function resultCard({ askServer, signIn }: Actions): ShieldResultCard {
  const card = h("shield-result-card", { "heading-level": "1" });
  card.outbox = outbox;
  card.addEventListener("shield-ask-server", (event) => askServer((event as CustomEvent<ShownScan>).detail.id));
  card.addEventListener("shield-sign-in", signIn);
  card.addEventListener("shield-share", (event) => {
    event.preventDefault();
    const how = (event as CustomEvent<"shared" | "copied" | "failed">).detail;
    if (how !== "shared") toast(say(`share.${how}`), how === "failed" ? "bad" : "plain");
  });
  return card;
}

/** Show a scan, and whether the server may be asked about it. */
export function showIn(card: ShieldResultCard, scan: KeptScan, actions: Actions, asking: Asking): void {
  card.scan = { ...scan, staysHere: asking === "never", reasons: [...known(scan), ...(scan.reasons ?? [])] };
  const remove = h("button", { type: "button", slot: "end", class: "quiet remove", onclick: () => actions.remove(scan) }, icon("trash"), say("history.delete"));
  const back = h("button", { type: "button", slot: "start", class: "quiet back", onclick: () => actions.back() }, icon("back"), say("again"));
  card.replaceChildren(back, remove);
}

/** What came to nothing, in the place of its answer. */
export function failureCard(why: string, again: () => void): ShieldResultCard {
  const card = h("shield-result-card", {}, h("button", { type: "button", slot: "end", onclick: again }, say("retry")));
  card.problem = why;
  return card;
}

/** What reviewers have decided of messages like it, where this phone knew that by itself. */
function known({ knownHere }: KeptScan): { kind: string; sentence: string }[] {
  if (!knownHere) return [];
  const { standing, decidedOn } = knownHere;
  return [{ kind: "reviewers", sentence: say(`known.${standing}`, { day: day(new Date(`${decidedOn}T12:00`)) }) }];
}
