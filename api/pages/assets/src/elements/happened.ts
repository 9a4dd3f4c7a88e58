// "I already clicked, paid or gave a code": what happened, and what to do then, step by step. Works without a network.
import { h, icon } from "./base";
import type { Word } from "./words";

type Step = Extract<Word, `step.${string}`>;
type Event = Extract<Word, `happened.${"clicked" | "password" | "code" | "card" | "paid" | "remote" | "papers"}`>;

/** Each by its steps, the most urgent first; docs/phone.md has the same table. */
export const STEPS: Record<Event, readonly Step[]> = {
  "happened.clicked": ["step.close", "step.download", "step.watch", "step.evidence"],
  "happened.password": ["step.password", "step.sessions", "step.contacts", "step.evidence"],
  "happened.code": ["step.signIn", "step.bank", "step.sessions", "step.contacts", "step.police"],
  "happened.card": ["step.bank", "step.watch", "step.evidence", "step.police"],
  "happened.paid": ["step.bank", "step.giftCard", "step.stop", "step.evidence", "step.police", "step.recovery"],
  "happened.remote": ["step.disconnect", "step.bank", "step.remove", "step.elsewhere", "step.police"],
  "happened.papers": ["step.papers", "step.watch", "step.stop", "step.evidence", "step.police"],
};

/** Closed until it is needed. `level`: of the headings in it; `whom`: who takes reports, if that is known. */
export function happened(text: (word: Word) => string, level: string, whom: string | null | undefined): HTMLElement {
  const name = (word: Word): HTMLElement => h("div", { class: "name", role: "heading", "aria-level": level }, text(word));
  const steps = h("div", { class: "steps", "aria-live": "polite" });
  const show = (event: Event): void =>
    steps.replaceChildren(
      name("happened.steps"),
      h("ol", {}, ...STEPS[event].map((step) => h("li", {}, text(step)))),
      ...(whom ? [name("happened.tell"), h("p", { dir: "auto" }, whom)] : []),
    );
  const choices = (Object.keys(STEPS) as Event[]).map((event) =>
    h("label", {}, h("input", { type: "radio", name: "happened", value: event, onchange: () => show(event) }), h("span", {}, text(event))),
  );
  return h(
    "details",
    { class: "happened", part: "happened" },
    h("summary", {}, icon("help"), h("span", {}, text("happened.title"))),
    h("fieldset", { class: "choices" }, h("legend", {}, text("happened.lead")), ...choices),
    steps,
  );
}
