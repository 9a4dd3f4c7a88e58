// A scan that came to nothing: where its answer would be, what happened, in whose hands it is, and what to do meanwhile.
import { h, icon } from "../lib/dom";
import { NobodyHere } from "./judge";
import { explain } from "./problems";
import { Refused, Unreachable } from "./wire";
import { say, type Key } from "./words";

const SENTENCES: [(refused: Refused) => boolean, Key][] = [
  [(refused) => refused.status === 401, "failed.signedOut"],
  [(refused) => refused.status === 413, "failed.tooLarge"],
  [(refused) => refused.status === 429 || refused.slug === "overloaded", "failed.busy"],
  [(refused) => refused.status === 503, "failed.notYet"],
  [(refused) => refused.status >= 500, "failed.away"],
];

function reason(error: unknown): string {
  if (error instanceof NobodyHere) return say("failed.nobodyHere");
  if (error instanceof Unreachable) return say(navigator.onLine ? "failed.away" : "failed.offline");
  const known = error instanceof Refused && SENTENCES.find(([matches]) => matches(error));
  return known ? say(known[1]) : say("failed.other", { why: explain(error) });
}

export function failureCard(error: unknown, again: () => void): HTMLElement {
  return h(
    "article",
    { class: "result failed", "aria-labelledby": "failed" },
    h("header", {}, h("span", { class: "emblem" }, icon("x")), h("h2", { id: "failed", tabindex: "-1" }, say("failed.title")), h("p", { class: "certainty" }, reason(error))),
    h("p", { class: "advice" }, say("failed.careful")),
    h("button", { type: "button", onclick: again }, say("retry")),
  );
}
