// How a scan looks: the result card, and a line in the list of earlier scans.
import { h, icon } from "../lib/dom";
import type { KeptScan } from "./store";
import { SCAN_TYPES } from "./scan-types";
import { isScam } from "./wire";

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

export function resultCard(scan: KeptScan, actions: Actions): HTMLElement {
  const scam = isScam(scan);
  const type = SCAN_TYPES[scan.scanType];
  return h(
    "article",
    { class: `result ${scam ? "scam" : "safe"}` },
    h(
      "header",
      {},
      icon(scam ? "warning" : "check"),
      h("h2", { tabindex: "-1" }, type.verdicts[scam ? 1 : 0]),
    ),
    h("p", { class: "advice" }, scam ? type.scamAdvice : "Stay careful with messages that ask for money or codes."),
    h("blockquote", { dir: "auto" }, scan.text),
    h(
      "div",
      { class: "confidence" },
      h("p", { id: "confidence" }, `Confidence ${percent(scan.confidence)}`),
      gauge(scan.confidence, "confidence"),
    ),
    opinion(scan, actions),
    h("p", { class: "fine" }, `Judged by ${scan.modelVersion}`),
  );
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
  const scam = isScam(scan);
  return h(
    "li",
    {},
    h(
      "button",
      { type: "button", class: `row ${scam ? "scam" : "safe"}`, onclick: () => open(scan) },
      icon(scam ? "warning" : "check"),
      h("span", { class: "text", dir: "auto" }, scan.text),
      h(
        "span",
        { class: "fine" },
        [scam ? "Scam" : "Harmless", standing(scan)].filter(Boolean).join(", "),
      ),
    ),
  );
}
