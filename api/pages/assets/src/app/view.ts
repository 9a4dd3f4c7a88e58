// How a scan looks: the result card, and a line in the list of earlier scans.
import { h, icon } from "../lib/dom";
import type { KeptScan } from "./store";
import { SCAN_TYPES } from "./scan-types";
import { isScam, isUnsure, type Reason } from "./wire";

interface Actions {
  agree(scan: KeptScan): void;
  object(scan: KeptScan): void;
}

function percent(share: number): string {
  // 99.97% must not read as certainty.
  return `${Math.min(99, Math.round(share * 100))}%`;
}

/** A bar that browsers draw alike; `<meter>` is not one. */
function gauge(share: number, labelledBy: string): SVGSVGElement {
  const name = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(name, "svg");
  const attributes = { class: "gauge", viewBox: "0 0 100 10", preserveAspectRatio: "none", role: "meter", "aria-labelledby": labelledBy, "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": String(Math.round(100 * share)) };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  for (const [kind, width] of [["rail", 100], ["filled", 100 * share]] as const) {
    const bar = document.createElementNS(name, "rect");
    bar.setAttribute("class", kind);
    bar.setAttribute("height", "10");
    bar.setAttribute("width", String(width));
    svg.append(bar);
  }
  return svg;
}

/** How a verdict looks, in the card and in the list. */
function look(scan: KeptScan): { style: string; icon: string; word: string } {
  const scam = isScam(scan);
  const leaning = scam ? "Perhaps a scam" : "Probably harmless";
  if (isUnsure(scan)) return { style: "unsure", icon: "unsure", word: `Not sure. ${leaning}` };
  return scam ? { style: "scam", icon: "warning", word: "Scam" } : { style: "safe", icon: "check", word: "Harmless" };
}

export function resultCard(scan: KeptScan, actions: Actions): HTMLElement {
  const scam = isScam(scan);
  const type = SCAN_TYPES[scan.scanType];
  const looks = look(scan);
  const unsure = looks.style === "unsure";
  return h(
    "article",
    { class: `result ${looks.style}` },
    h(
      "header",
      {},
      icon(looks.icon),
      h("h2", { tabindex: "-1" }, unsure ? "We are not sure" : type.verdicts[scam ? 1 : 0]),
    ),
    unsure && h("p", { class: "leaning" }, scam ? "It is closer to a scam than to a harmless message." : "It is closer to a harmless message than to a scam."),
    advice(scan, scam ? type.scamAdvice : "Stay careful with messages that ask for money or codes."),
    why(scan.reasons ?? []),
    h("blockquote", { dir: "auto" }, scan.text),
    !unsure && confidence(scan),
    opinion(scan, actions),
    h("p", { class: "fine" }, `Judged by ${scan.modelVersion}`),
  );
}

function confidence(scan: KeptScan): HTMLElement {
  return h(
    "div",
    { class: "confidence" },
    h("p", { id: "confidence" }, `Confidence ${percent(scan.confidence)}`),
    gauge(scan.confidence, "confidence"),
  );
}

function advice(scan: KeptScan, otherwise: string): HTMLElement {
  const told = scan.advice;
  return h(
    "div",
    { class: "advice", dir: "auto" },
    h("p", {}, told?.whatToDoNow ?? otherwise),
    told?.whoToTell ? h("p", { class: "tell" }, told.whoToTell) : null,
  );
}

const SYMBOLS: Record<string, string> = { tactic: "search", link: "link", calm: "check", whole: "message", reviewers: "person" };

/** The server's sentences, in the reader's language, the weightiest first. */
function why(reasons: Reason[]): HTMLElement | null {
  if (reasons.length === 0) return null;
  const lines = reasons.map((reason) =>
    h("li", { class: reason.kind, dir: "auto" }, icon(SYMBOLS[reason.kind] ?? "warning"), h("span", {}, reason.sentence)),
  );
  return h("section", { class: "why", "aria-labelledby": "why" }, h("h3", { id: "why" }, "Why"), h("ul", {}, ...lines));
}

const DECISIONS = {
  pending: "Thanks for your feedback!",
  approved: "A reviewer agreed. The filter will learn from it.",
  rejected: "A reviewer looked and saw it differently.",
};

function opinion(scan: KeptScan, actions: Actions): HTMLElement {
  const said = scan.opinion;
  if (said) {
    const what = said.scam ? "a scam" : "harmless";
    const line =
      said.state === "waiting"
        ? `You said: ${what}. It will be sent when you are online.`
        : said.state === "sent"
          ? `You said: ${what}. ${DECISIONS[said.decision ?? "pending"]}`
          : `Not accepted: ${said.message ?? "the server refused it."}`;
    return h(
      "div",
      { class: `opinion ${said.state}` },
      h("p", {}, line),
      !said.decision && h("button", { type: "button", class: "quiet", onclick: () => actions.object(scan) }, "Change"),
    );
  }
  return h(
    "div",
    { class: "opinion" },
    h("p", { id: "question" }, "Is this right?"),
    h(
      "div",
      { class: "pair", role: "group", "aria-labelledby": "question" },
      h("button", { type: "button", onclick: () => actions.agree(scan) }, icon("thumb-up"), "Correct"),
      h("button", { type: "button", onclick: () => actions.object(scan) }, icon("thumb-down"), "Wrong"),
    ),
  );
}

const STATES = { waiting: "waiting to be sent", sent: "feedback sent", failed: "feedback refused" } as const;

function standing(scan: KeptScan): string | undefined {
  if (!scan.opinion) return undefined;
  return scan.opinion.decision ? `feedback ${scan.opinion.decision}` : STATES[scan.opinion.state];
}

export function scanRow(scan: KeptScan, open: (scan: KeptScan) => void): HTMLElement {
  const looks = look(scan);
  return h(
    "li",
    {},
    h(
      "button",
      { type: "button", class: `row ${looks.style}`, onclick: () => open(scan) },
      icon(looks.icon),
      h("span", { class: "text", dir: "auto" }, scan.text),
      h(
        "span",
        { class: "fine" },
        [looks.word, standing(scan)].filter(Boolean).join(", "),
      ),
    ),
  );
}
