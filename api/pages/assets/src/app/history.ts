// Earlier scans: what each was, when, and what became of what was said of it.
import { h, icon } from "../lib/dom";
import { standingOf } from "../lib/verdicts";
import { LOOKS } from "./card";
import type { KeptScan } from "./store";
import { moment, say } from "./words";

function standing(scan: KeptScan): string | undefined {
  if (!scan.opinion) return undefined;
  return say(`row.${scan.opinion.decision ?? scan.opinion.state}`);
}

export function scanRow(scan: KeptScan, open: (scan: KeptScan) => void): HTMLElement {
  const looks = LOOKS[standingOf(scan)];
  const facts = [say(looks.row), moment(new Date(scan.createdAt)), standing(scan)].filter(Boolean).join(" · ");
  return h(
    "li",
    {},
    h(
      "button",
      { type: "button", class: `row ${looks.style}`, onclick: () => open(scan) },
      icon(looks.icon),
      h("span", { class: "text", dir: "auto" }, scan.text),
      h("span", { class: "fine" }, facts),
    ),
  );
}
