// The answer to one scan: what it is, how sure, what to do now, why, and what its owner says of it.
import { h, icon } from "../lib/dom";
import { happened } from "./happened";
import { whyRefused } from "./problems";
import { warnOthers } from "./share";
import type { KeptScan } from "./store";
import { answerOf, isScam, type Answer, type Reason } from "./wire";
import { day, moment, say, type Key } from "./words";

export interface Actions {
  agree(scan: KeptScan): void;
  object(scan: KeptScan): void;
  claim(scan: KeptScan, scam: boolean): void;
  remove(scan: KeptScan): void;
  /** Send what this phone judged by itself to the server, to be judged and explained. */
  askServer(scan: KeptScan): void;
  back(): void;
}

/** How each answer looks, in the card and in the list. */
export const LOOKS: Record<Answer, { style: string; icon: string; title: Key; row: Key }> = {
  scam: { style: "scam", icon: "warning", title: "verdict.scam", row: "row.scam" },
  harmless: { style: "safe", icon: "check", title: "verdict.harmless", row: "row.harmless" },
  unsure: { style: "unsure", icon: "unsure", title: "verdict.unsure", row: "row.unsure" },
};

export function resultCard(scan: KeptScan, actions: Actions): HTMLElement {
  const answer = answerOf(scan);
  const looks = LOOKS[answer];
  const said = scan.opinion;
  return h(
    "article",
    { class: `result ${looks.style}`, "aria-labelledby": "verdict" },
    h("header", {}, h("button", { type: "button", class: "quiet back", onclick: () => actions.back() }, icon("back"), say("again")), h("span", { class: "emblem" }, icon(looks.icon)), h("h1", { id: "verdict", tabindex: "-1" }, say(looks.title)), h("p", { class: "certainty" }, certainty(scan, answer))),
    said && opinion(scan, actions),
    advice(scan, answer),
    answer !== "harmless" && h("div", { class: "help" }, happened(scan), h("button", { type: "button", onclick: () => void warnOthers(scan) }, icon("share"), say("share.button"))),
    // What spoke for the former answer speaks for this one no more.
    why(scan.revised ? [] : [...known(scan), ...(scan.reasons ?? [])]),
    !said && question(scan, answer, actions),
    scan.judgedHere && !scan.onServer && !said && nothingSent(scan, actions),
    message(scan, actions),
  );
}

/** Certainty in words; a number would be taken for one's own chances. */
function certainty(scan: KeptScan, answer: Answer): string {
  if (scan.revised) return say("certainty.revised");
  if (scan.decidedBy === "reviewers") return say("certainty.people");
  if (answer !== "unsure") return say(`certainty.${answer}`);
  return say(isScam(scan) ? "certainty.unsureScam" : "certainty.unsureHarmless");
}

function advice(scan: KeptScan, answer: Answer): HTMLElement {
  const told = scan.revised ? null : scan.advice;
  return h(
    "section",
    { class: "advice", "aria-labelledby": "now" },
    h("h2", { id: "now" }, say("now.title")),
    h("p", { dir: "auto" }, told?.whatToDoNow ?? say(`now.${answer}`)),
    told?.whoToTell ? h("h2", {}, say("happened.tell")) : null,
    told?.whoToTell ? h("p", { class: "tell", dir: "auto" }, told.whoToTell) : null,
  );
}

const SYMBOLS: Record<string, string> = { tactic: "search", link: "link", calm: "check", whole: "message", reviewers: "people" };

/** The sentences of whoever judged, in the reader's language, the weightiest first. */
function why(reasons: Reason[]): HTMLElement | null {
  if (reasons.length === 0) return null;
  const lines = reasons.map((reason) =>
    h("li", { class: reason.kind, dir: "auto" }, icon(SYMBOLS[reason.kind] ?? "warning"), h("span", {}, reason.sentence)),
  );
  return h("section", { class: "why", "aria-labelledby": "why" }, h("h2", { id: "why" }, say("why.title")), h("ul", {}, ...lines));
}

/** What reviewers have decided of messages like it, where this phone knew that by itself. */
function known({ knownHere }: KeptScan): Reason[] {
  if (!knownHere) return [];
  const { standing, decidedOn } = knownHere;
  return [{ id: "known", kind: "reviewers", sentence: say(`known.${standing}`, { day: day(new Date(`${decidedOn}T12:00`)) }) }];
}

/** Of an answer one says right or wrong; of an unsure one, what it is. */
function question(scan: KeptScan, answer: Answer, actions: Actions): HTMLElement {
  const unsure = answer === "unsure";
  const button = (symbol: string, label: Key, onclick: () => void): HTMLElement => h("button", { type: "button", onclick }, icon(symbol), say(label));
  return h(
    "section",
    { class: "opinion" },
    h("h2", { id: "question" }, say(unsure ? "opinion.askUnsure" : "opinion.ask")),
    h(
      "div",
      { class: "pair", role: "group", "aria-labelledby": "question" },
      ...(unsure
        ? [button("check", "opinion.harmless", () => actions.claim(scan, false)), button("warning", "opinion.scam", () => actions.claim(scan, true))]
        : [button("thumb-up", "opinion.right", () => actions.agree(scan)), button("thumb-down", "opinion.wrong", () => actions.object(scan))]),
    ),
  );
}

/** Of what this phone judged by itself: who knows more, and what is sent when. */
function nothingSent(scan: KeptScan, actions: Actions): HTMLElement {
  return h(
    "section",
    { class: "nothing-sent" },
    h("p", { class: "fine" }, say("judged.reportSends")),
    h("p", {}, say("judged.nothingSent")),
    h("button", { type: "button", id: "ask-server", onclick: () => actions.askServer(scan) }, icon("search"), say("judged.askServer")),
  );
}

/** What was said of it, and what comes of that. */
function opinion(scan: KeptScan, actions: Actions): HTMLElement {
  const said = scan.opinion!;
  const what = say(said.scam ? "opinion.saidScam" : "opinion.saidHarmless");
  const next =
    said.state === "failed"
      ? say("opinion.refused", { why: whyRefused(said) })
      : said.state === "waiting"
        ? say("opinion.waiting")
        : say(`opinion.${said.decision ?? "pending"}`);
  return h(
    "section",
    { class: `opinion ${said.state}`, role: "status" },
    h("div", {}, h("p", { class: "said" }, what), h("p", {}, next)),
    !said.decision && h("button", { type: "button", class: "quiet", onclick: () => actions.object(scan) }, say("opinion.change")),
  );
}

function message(scan: KeptScan, actions: Actions): HTMLElement {
  return h(
    "section",
    { class: "scanned", "aria-labelledby": "scanned" },
    h("h2", { id: "scanned" }, say("message.title")),
    h("blockquote", { dir: "auto", tabindex: "0", "aria-labelledby": "scanned" }, scan.text),
    h("p", { class: "fine" }, say("scanned", { when: moment(new Date(scan.createdAt)) }), " · ", say(scan.judgedWhole ? "judged.whole" : scan.judgedHere ? "judged.phone" : "judged.server", { version: scan.modelVersion })),
    h("button", { type: "button", class: "quiet remove", onclick: () => actions.remove(scan) }, icon("trash"), say("history.delete")),
  );
}
