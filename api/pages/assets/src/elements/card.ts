import { moment } from "../lib/moments";
import { isScam, standingOf, type Standing } from "../lib/verdicts";
import { h, icon, ShieldElement } from "./base";
import type { ShieldFeedbackButton } from "./button";
import type { FeedbackBox, ShownScan } from "./given";
import { happened } from "./happened";
import { warning, warnOthers } from "./share";

/** The states of docs/phone.md, "Result card". */
export type CardState = "empty" | "busy" | Standing | "problem";

const EMBLEMS: Record<Standing, string> = { scam: "warning", harmless: "check", unsure: "unsure" };
const SYMBOLS: Record<string, string> = { tactic: "search", link: "link", calm: "check", whole: "message", reviewers: "people" };

/**
 * `<shield-result-card>`: a verdict, what to do now, why, and whether it is right. Give it `scan` and `outbox`, or let
 * `await card.judge(client.scan("text", text))` go through all states.
 *
 * Attribute `heading-level` (1 to 5, default 2) puts its heading into the page's outline. Slots: `start`, before the
 * verdict, and `end`, after the message or the problem. Event `shield-share` (`detail`: `shared`, `copied` or `failed`)
 * when somebody warned others; the card says so itself unless the page calls `preventDefault`.
 */
export class ShieldResultCard extends ShieldElement {
  static readonly observedAttributes = ["heading-level"];
  private judged: ShownScan | null = null;
  private fault: unknown = null;
  private waits = false;
  private round = 0;
  private box: FeedbackBox | null = null;
  private drawn = "";
  private drawnId: string | undefined;
  private help: { of: string; element: HTMLElement } | null = null;
  private readonly feedback = document.createElement("shield-feedback-button") as ShieldFeedbackButton;

  constructor() {
    super();
    // What came while the dialog was open.
    for (const closed of ["shield-answer", "shield-cancel"]) this.root.addEventListener(closed, () => this.render());
  }

  get scan(): ShownScan | null {
    return this.judged;
  }

  set scan(scan: ShownScan | null) {
    this.round += 1;
    this.put(scan, null, false);
  }

  get outbox(): FeedbackBox | null {
    return this.box;
  }

  set outbox(outbox: FeedbackBox | null) {
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
  async judge<S extends ShownScan>(answer: Promise<S>): Promise<S | null> {
    const round = (this.round += 1);
    this.put(null, null, true);
    const [scan, fault] = await answer.then(
      (found) => [found, null] as const,
      (error: unknown) => [null, error ?? new Error("unknown")] as const,
    );
    if (round === this.round) {
      this.put(scan, fault, false);
      this.focus({ preventScroll: true });
    }
    return scan;
  }

  /** Move the focus to the heading, so that a screen reader says what came of it. */
  override focus(options?: FocusOptions): void {
    this.root.querySelector<HTMLElement>(".heading")?.focus(options);
  }

  attributeChangedCallback(): void {
    this.render();
  }

  private put(scan: ShownScan | null, fault: unknown, waits: boolean): void {
    [this.judged, this.fault, this.waits] = [scan, fault, waits];
    this.render();
  }

  private level(deeper = 0): string {
    return String(Math.min(6, Math.max(1, Number(this.getAttribute("heading-level")) || 2) + deeper));
  }

  private name(words: string, id: string): HTMLElement {
    return h("div", { class: "name", role: "heading", "aria-level": this.level(1), id }, words);
  }

  private header(symbol: string | null, heading: string, ...below: HTMLElement[]): HTMLElement {
    return h(
      "header",
      {},
      h("slot", { name: "start" }),
      symbol && h("span", { class: "emblem" }, icon(symbol)),
      h("div", { class: "heading", role: "heading", "aria-level": this.level(), id: "heading", tabindex: "-1", part: "heading" }, heading),
      ...below,
    );
  }

  protected render(): void {
    if (!this.isConnected) return;
    const state = this.state;
    this.dataset.state = state;
    const now = JSON.stringify([state, shownOf(this.judged), String(this.fault), this.words, this.level()]);
    // Drawn anew, the card takes its dialog out of the page for a moment, which ends what somebody writes in it.
    const writing = this.feedback.writing && this.judged?.id === this.drawnId;
    if (now !== this.drawn && !writing) {
      [this.drawn, this.drawnId] = [now, this.judged?.id];
      const focused = this.root.activeElement?.classList.contains("heading");
      this.root.replaceChildren(...this.content(state));
      if (focused) this.focus({ preventScroll: true });
    }
    this.feedback.words = this.words;
    this.feedback.outbox = this.box;
    this.feedback.scan = this.judged;
  }

  private content(state: CardState): HTMLElement[] {
    const scan = this.judged;
    if (state === "empty") return [];
    if (state === "busy") return [h("div", { class: "result busy", part: "card", role: "status", "aria-busy": "true" }, this.header(null, this.text("card.busy")))];
    if (scan && state !== "problem") return [this.result(scan, state)];
    const reason = this.fault instanceof Error ? this.fault.message : String(this.fault);
    const card = h(
      "article",
      { class: "result problem", part: "card", "aria-labelledby": "heading" },
      this.header("x", this.text("card.problem"), h("p", { dir: "auto" }, reason)),
      h("section", {}, h("p", {}, this.text("card.careful")), h("slot", { name: "end" })),
    );
    return [h("div", { role: "alert" }, card)];
  }

  private result(scan: ShownScan, state: Standing): HTMLElement {
    return h(
      "article",
      { class: `result ${state}`, part: "card", "aria-labelledby": "heading" },
      this.header(EMBLEMS[state], this.text(`verdict.${state}`), h("p", { class: "certainty", part: "certainty" }, this.certainty(scan, state))),
      this.advice(scan, state),
      state !== "harmless" && this.helped(scan),
      this.why(scan),
      this.feedback,
      this.message(scan),
    );
  }

  /** Certainty in words; a number would be taken for one's own chances. */
  private certainty(scan: ShownScan, state: Standing): string {
    if (scan.revised) return this.text("certainty.revised");
    if (scan.decidedBy === "reviewers") return this.text("certainty.people");
    if (state !== "unsure") return this.text("certainty.sure");
    return this.text(isScam(scan) ? "certainty.leaning.scam" : "certainty.leaning.harmless");
  }

  private advice(scan: ShownScan, state: Standing): HTMLElement {
    // What spoke for the former answer speaks for a revised one no more.
    const told = scan.revised ? null : scan.advice;
    return h(
      "section",
      { class: "advice", part: "advice", "aria-labelledby": "now" },
      this.name(this.text("now.title"), "now"),
      h("p", { dir: "auto" }, told?.whatToDoNow ?? this.text(`now.${state}`)),
      told?.whoToTell ? this.name(this.text("happened.tell"), "tell") : null,
      told?.whoToTell ? h("p", { class: "tell", dir: "auto" }, told.whoToTell) : null,
    );
  }

  /** What to do when it is too late, and warning others. What was opened and chosen for a scan stays so while it is shown. */
  private helped(scan: ShownScan): HTMLElement {
    const whom = scan.advice?.whoToTell;
    const of = JSON.stringify([scan.id, whom, this.words]);
    if (this.help?.of !== of) this.help = { of, element: happened((word) => this.text(word), this.level(1), whom) };
    const told = h("p", { class: "fine", role: "status" });
    const share = async (): Promise<void> => {
      const how = await warnOthers(warning(scan.text ?? "", (word, filled) => this.text(word, filled)));
      if (how && this.tell("shield-share", how) && how !== "shared") told.textContent = this.text(`share.${how}`);
    };
    return h(
      "section",
      { class: "help", part: "help" },
      this.help.element,
      scan.text ? h("button", { type: "button", part: "button", onclick: () => void share() }, icon("share"), this.text("share.button")) : null,
      told,
    );
  }

  /** The sentences of whoever judged, the weightiest first. */
  private why(scan: ShownScan): HTMLElement | null {
    const reasons = scan.revised ? [] : (scan.reasons ?? []);
    if (reasons.length === 0) return null;
    const lines = reasons.map(({ kind, sentence }) => h("li", { dir: "auto", "data-kind": kind }, icon(SYMBOLS[kind] ?? "warning"), h("span", {}, sentence)));
    return h("section", { class: "why", part: "why", "aria-labelledby": "why" }, this.name(this.text("card.why"), "why"), h("ul", {}, ...lines));
  }

  private message(scan: ShownScan): HTMLElement {
    const when = scan.createdAt ? `${this.text("card.scanned", { when: moment(new Date(scan.createdAt), this.language.split("-")[0]!) })} · ` : "";
    const by = this.text(scan.judgedWhole ? "card.version.whole" : scan.judgedHere ? "card.version.device" : "card.version", { version: scan.modelVersion });
    return h(
      "section",
      { class: "message" },
      scan.text ? this.name(this.text("card.message"), "message") : null,
      scan.text ? h("blockquote", { dir: "auto", tabindex: "0", part: "message", "aria-labelledby": "message" }, scan.text) : null,
      h("p", { class: "fine", part: "version" }, when, by),
      h("slot", { name: "end" }),
    );
  }
}

/** What of a scan the card itself shows; what its owner said of it is the button's. */
function shownOf(scan: ShownScan | null): unknown {
  if (!scan) return null;
  const { id, scanType, verdict, certainty, revised, decidedBy, judgedHere, reasons, advice, modelVersion, createdAt, text } = scan;
  return [id, scanType, verdict, certainty, revised, decidedBy, judgedHere, reasons, advice, modelVersion, createdAt, text];
}
