import type { Outbox } from "../outbox";
import { isScam, standingOf, type Scan } from "../scan";
import { h, ShieldElement } from "./base";
import type { ShieldFeedbackButton } from "./button";

/** The states of docs/phone.md, "Result card". */
export type CardState = "empty" | "busy" | "scam" | "harmless" | "unsure" | "problem";

/**
 * `<shield-result-card>`: a verdict, why, what to do now, and whether it is right. Give it `scan` and `outbox`, or let
 * `await card.judge(client.scan("text", text))` go through all states.
 *
 * Attribute `heading-level` (1 to 6, default 2) puts its heading into the page's outline.
 */
export class ShieldResultCard extends ShieldElement {
  static readonly observedAttributes = ["heading-level"];
  private judged: Scan | null = null;
  private fault: unknown = null;
  private waits = false;
  private round = 0;
  private box: Outbox | null = null;
  private readonly feedback = document.createElement("shield-feedback-button") as ShieldFeedbackButton;

  get scan(): Scan | null {
    return this.judged;
  }

  set scan(scan: Scan | null) {
    this.round += 1;
    this.put(scan, null, false);
  }

  get outbox(): Outbox | null {
    return this.box;
  }

  set outbox(outbox: Outbox | null) {
    this.box = outbox;
    this.render();
  }

  /** What went wrong instead of a verdict; it takes the place of the former one. */
  get problem(): unknown {
    return this.fault;
  }

  set problem(problem: unknown) {
    this.round += 1;
    this.put(null, problem, false);
  }

  get state(): CardState {
    if (this.waits) return "busy";
    if (this.fault !== null && this.fault !== undefined) return "problem";
    return this.judged ? standingOf(this.judged) : "empty";
  }

  /**
   * Show that a message is being judged, then what came of it; the former verdict is gone at once. Resolves to the
   * scan, or to null when there is a problem, which is shown. Of two calls the later one is shown.
   */
  async judge(answer: Promise<Scan>): Promise<Scan | null> {
    const round = (this.round += 1);
    this.put(null, null, true);
    const [scan, fault] = await answer.then(
      (found) => [found, null] as const,
      (error: unknown) => [null, error ?? new Error("unknown")] as const,
    );
    if (round === this.round) {
      this.put(scan, fault, false);
      this.root.querySelector<HTMLElement>(".heading")?.focus({ preventScroll: true });
    }
    return scan;
  }

  attributeChangedCallback(): void {
    this.render();
  }

  private put(scan: Scan | null, fault: unknown, waits: boolean): void {
    this.judged = scan;
    this.fault = fault;
    this.waits = waits;
    this.render();
  }

  private heading(words: string): HTMLElement {
    const level = Math.min(6, Math.max(1, Number(this.getAttribute("heading-level")) || 2));
    return h("div", { class: "heading", role: "heading", "aria-level": String(level), id: "heading", tabindex: "-1", part: "heading" }, words);
  }

  protected render(): void {
    if (!this.isConnected) return;
    const state = this.state;
    this.dataset.state = state;
    const scan = this.judged;
    if (state === "empty") return this.root.replaceChildren();
    if (state === "busy")
      return this.root.replaceChildren(h("div", { class: "card busy", part: "card", role: "status", "aria-busy": "true" }, this.heading(this.text("card.busy"))));
    if (!scan || state === "problem") {
      const why = this.fault instanceof Error ? this.fault.message : String(this.fault);
      return this.root.replaceChildren(h("div", { class: "card problem", part: "card", role: "alert" }, this.heading(this.text("card.problem")), h("p", { dir: "auto" }, why)));
    }
    const leaning = isScam(scan) ? "certainty.leaning.scam" : "certainty.leaning.harmless";
    this.feedback.words = this.words;
    this.feedback.scan = scan;
    this.feedback.outbox = this.box;
    this.root.replaceChildren(
      h(
        "article",
        { class: `card ${state}`, part: "card", "aria-labelledby": "heading" },
        this.heading(this.text(`verdict.${state}`)),
        h("p", { class: "quiet", part: "certainty" }, this.text(state === "unsure" ? leaning : "certainty.sure")),
        scan.advice
          ? h(
              "div",
              { class: "advice", part: "advice", dir: "auto" },
              h("p", {}, scan.advice.whatToDoNow),
              scan.advice.whoToTell ? h("p", {}, scan.advice.whoToTell) : null,
            )
          : null,
        this.why(scan),
        scan.text ? h("blockquote", { dir: "auto", tabindex: "0", part: "message" }, scan.text) : null,
        this.feedback,
        h("p", { class: "fine quiet", part: "version" }, this.text("card.version", { version: scan.modelVersion })),
      ),
    );
  }

  private why(scan: Scan): HTMLElement | null {
    const reasons = scan.reasons ?? [];
    if (reasons.length === 0) return null;
    const level = Math.min(6, (Number(this.getAttribute("heading-level")) || 2) + 1);
    return h(
      "section",
      { class: "why", part: "why", "aria-labelledby": "why" },
      h("div", { class: "name", role: "heading", "aria-level": String(level), id: "why" }, this.text("card.why")),
      h("ul", {}, ...reasons.map((reason) => h("li", { dir: "auto", "data-kind": reason.kind }, reason.sentence))),
    );
  }
}
