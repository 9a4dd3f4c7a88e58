// "I already clicked, paid or gave a code": what happened, and what to do then, step by step. Works without a network.
import { h, icon } from "../lib/dom";
import type { KeptScan } from "./store";
import { say, type Key } from "./words";

type Step = Extract<Key, `step.${string}`>;
type Event = Extract<Key, `happened.${"clicked" | "password" | "code" | "card" | "paid" | "remote" | "papers"}`>;

/** Each by its steps, the most urgent first. */
const STEPS: Record<Event, Step[]> = {
  "happened.clicked": ["step.close", "step.download", "step.watch", "step.evidence"],
  "happened.password": ["step.password", "step.sessions", "step.contacts", "step.evidence"],
  "happened.code": ["step.signIn", "step.bank", "step.sessions", "step.contacts", "step.police"],
  "happened.card": ["step.bank", "step.watch", "step.evidence", "step.police"],
  "happened.paid": ["step.bank", "step.giftCard", "step.stop", "step.evidence", "step.police", "step.recovery"],
  "happened.remote": ["step.disconnect", "step.bank", "step.remove", "step.elsewhere", "step.police"],
  "happened.papers": ["step.papers", "step.watch", "step.stop", "step.evidence", "step.police"],
};

/** Closed until it is needed. What was opened and chosen for a scan stays so while it is shown. */
export function happened(scan: KeptScan): HTMLElement {
  const details = h("details", { class: "happened" });
  const steps = h("div", { class: "steps", "aria-live": "polite" });
  const choices = (Object.keys(STEPS) as Event[]).map((event) =>
    h("label", {}, h("input", { type: "radio", name: `happened-${scan.id}`, value: event, onchange: () => steps.replaceChildren(...told(event, scan)) }), h("span", {}, say(event))),
  );
  details.append(
    h("summary", {}, icon("help"), h("span", {}, say("happened.title"))),
    h("fieldset", { class: "choices" }, h("legend", {}, say("happened.lead")), ...choices),
    steps,
  );
  return details;
}

function told(event: Event, scan: KeptScan): HTMLElement[] {
  const whom = scan.advice?.whoToTell;
  return [
    h("h3", {}, say("happened.steps")),
    h("ol", {}, ...STEPS[event].map((step) => h("li", {}, say(step)))),
    ...(whom ? [h("h3", {}, say("happened.tell")), h("p", { dir: "auto" }, whom)] : []),
  ];
}
