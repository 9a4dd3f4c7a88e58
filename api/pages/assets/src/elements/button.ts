import { isScam, isUnsure, saidOf } from "../lib/verdicts";
import { h, icon, ShieldElement } from "./base";
import type { ShieldFeedbackDialog } from "./dialog";
import type { FeedbackBox, Feedbacked, ShownScan } from "./given";
import type { Word } from "./words";

/** The states of docs/phone.md, "FeedbackButton". */
export type ButtonState = "ask" | Feedbacked["state"] | "unkept";

type Shown = Omit<Feedbacked, "scanId" | "state"> & { state: ButtonState };

const ASK: Shown = { state: "ask", scam: false, comment: "" };
/** In these the person may still say something else. */
const CHANGEABLE = new Set<ButtonState>(["sending", "waiting", "signed-out", "sent", "failed"]);

/**
 * `<shield-feedback-button>`: is the verdict right? Give it `scan` and `outbox`.
 *
 * Events: `shield-feedback` (`detail`: scan id, what was said, the state) whenever its state changes by a tap or an
 * answer; `shield-sign-in` when somebody wants to sign in again; `shield-ask-server` when what the device has judged is
 * to be judged by the server (`detail`: the scan).
 */
export class ShieldFeedbackButton extends ShieldElement {
  private judged: ShownScan | null = null;
  private box: FeedbackBox | null = null;
  private shown = ASK;
  /** What stands there now; the same again leaves focus and screen readers alone. */
  private drawn = "";
  private readonly dialog = document.createElement("shield-feedback-dialog") as ShieldFeedbackDialog;
  private readonly place = h("section", { class: "opinion", part: "feedback" });

  constructor() {
    super();
    this.root.append(this.place, this.dialog);
  }

  get scan(): ShownScan | null {
    return this.judged;
  }

  set scan(scan: ShownScan | null) {
    if (scan?.id !== this.judged?.id) this.shown = ASK;
    this.judged = scan;
    void this.look();
  }

  get outbox(): FeedbackBox | null {
    return this.box;
  }

  set outbox(outbox: FeedbackBox | null) {
    if (outbox === this.box) return;
    this.box?.removeEventListener("change", this.changed);
    this.box = outbox;
    if (this.isConnected) outbox?.addEventListener("change", this.changed);
    void this.look();
  }

  get state(): ButtonState {
    return this.shown.state;
  }

  /** Whether somebody writes in its dialog. */
  get writing(): boolean {
    return this.dialog.open;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.box?.addEventListener("change", this.changed);
    void this.look();
  }

  disconnectedCallback(): void {
    this.box?.removeEventListener("change", this.changed);
  }

  private readonly changed = (event: Event): void => {
    const { feedback } = event as Event & { feedback?: Feedbacked };
    if (!feedback || feedback.scanId !== this.judged?.id) return;
    this.show(feedback);
    this.tell("shield-feedback", feedback);
  };

  /** Find the present state: what waits here is newer than what the server knew when it answered. */
  private async look(): Promise<void> {
    const scan = this.judged;
    if (!scan) return this.show(ASK);
    let here: Feedbacked | null = null;
    try {
      here = (await this.box?.feedbackOf(scan.id)) ?? null;
    } catch {
      // No storage: what the server knows is shown, and the next tap says what is wrong.
    }
    if (this.judged !== scan) return;
    const said = saidOf(scan);
    const decided = scan.feedback?.status;
    const pending = here !== null && here.state !== "sent";
    if (said !== null && (decided === "approved" || decided === "rejected") && !pending) this.show({ state: decided, scam: said, comment: "" });
    else if (here) this.show(here);
    else if (said !== null) this.show({ state: "sent", scam: said, comment: "" });
    // What could not be kept is said until it could be.
    else this.show(this.shown.state === "unkept" ? this.shown : ASK);
  }

  private show({ state, scam, comment, message }: Shown): void {
    this.shown = { state, scam, comment, message: message ?? "" };
    this.render();
  }

  private async keep(scam: boolean, comment = ""): Promise<void> {
    const scan = this.judged;
    if (!scan || !this.box) return;
    try {
      await this.box.say(scan, scam, comment);
    } catch (error) {
      this.show({ state: "unkept", scam, comment, message: error instanceof Error ? error.message : String(error) });
    }
  }

  private async object(): Promise<void> {
    if (!this.judged) return;
    const { state, scam, comment } = this.shown;
    const opener = this.root.activeElement;
    const answer = await this.dialog.ask(this.judged, state === "ask" || state === "unkept" ? {} : { scam, comment });
    if (answer) await this.keep(answer.scam, answer.comment);
    // The dialog gives the focus back to the button that has opened it; what has taken its place gets it here.
    if (!opener?.isConnected) this.root.querySelector<HTMLElement>("button")?.focus();
  }

  protected render(): void {
    if (!this.isConnected) return;
    const { words, shown, judged: scan } = this;
    this.hidden = !scan || !this.box;
    const now = JSON.stringify([shown, scan, words]);
    if (now === this.drawn) return;
    this.drawn = now;
    this.dialog.words = words;
    this.place.dataset.state = shown.state;
    this.place.className = `opinion ${shown.state}`;
    if (!scan) return this.place.replaceChildren();
    const focused = this.root.activeElement !== null && this.place.contains(this.root.activeElement);
    this.place.replaceChildren(...(shown.state === "ask" || shown.state === "unkept" ? this.asking(scan, shown) : this.said(scan, shown)));
    // The button that was pressed is gone: the focus goes on to what has taken its place.
    if (focused) this.root.querySelector<HTMLElement>("button")?.focus();
  }

  private button(word: Word, act: () => void, symbol?: string, quiet = false): HTMLElement {
    return h("button", { type: "button", part: "button", class: quiet && "quiet", onclick: act }, symbol ? icon(symbol) : null, this.text(word));
  }

  /** Of an answer one says right or wrong; of an unsure one, what it is. */
  private asking(scan: ShownScan, { state, message = "" }: Shown): HTMLElement[] {
    const unsure = isUnsure(scan) && !scan.revised;
    const pair = unsure
      ? [this.button("dialog.harmless", () => void this.keep(false), "check"), this.button("dialog.scam", () => void this.keep(true), "warning")]
      : [this.button("feedback.correct", () => void this.keep(isScam(scan)), "thumb-up"), this.button("feedback.wrong", () => void this.object(), "thumb-down")];
    return [
      ...(state === "unkept" ? [h("p", { class: "line", role: "alert" }, this.text("feedback.unkept", { reason: message }))] : []),
      h("p", { class: "name", id: "question" }, this.text(unsure ? "feedback.question.unsure" : "feedback.question")),
      h("div", { class: "pair", role: "group", "aria-labelledby": "question" }, ...pair),
      ...(scan.judgedHere
        ? [
            h("p", { class: "fine" }, this.text("feedback.report-sends")),
            h("p", { class: "nothing-sent" }, this.text(scan.staysHere ? "feedback.stays-here" : "feedback.nothing-sent")),
            ...(scan.staysHere ? [] : [this.button("feedback.ask-server", () => this.tell("shield-ask-server", scan), "search")]),
          ]
        : []),
    ];
  }

  /** What was said, and what becomes of it. */
  private said(scan: ShownScan, { state, scam, message = "" }: Shown): HTMLElement[] {
    return [
      h(
        "div",
        { class: "said", role: "status" },
        h("p", { class: "line" }, this.text(scam ? "feedback.said.scam" : "feedback.said.harmless")),
        h("p", { dir: "auto" }, this.text(`feedback.${state}` as "feedback.sent", { reason: message })),
      ),
      ...(state === "signed-out" ? [this.button("feedback.sign-in", () => this.tell("shield-sign-in", { scanId: scan.id }))] : []),
      ...(CHANGEABLE.has(state) ? [this.button("feedback.change", () => void this.object(), undefined, true)] : []),
    ];
  }
}
