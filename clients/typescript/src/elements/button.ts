import { OutboxChange, type Feedbacked, type Outbox } from "../outbox";
import { ShieldError } from "../problem";
import { isScam, saidOf, type Scan } from "../scan";
import { h, ShieldElement } from "./base";
import type { ShieldFeedbackDialog } from "./dialog";

/** The states of docs/phone.md, "FeedbackButton". */
export type ButtonState = "ask" | Feedbacked["state"] | "approved" | "rejected" | "unkept";

interface Shown {
  state: ButtonState;
  scam: boolean;
  comment: string;
  reason: string;
}

/** In these the person may still say something else. */
const CHANGEABLE = new Set<ButtonState>(["sending", "waiting", "signed-out", "sent", "failed"]);

/**
 * `<shield-feedback-button>`: is the verdict right? Give it `scan` and `outbox`.
 *
 * Events: `shield-feedback` (`detail`: scan id, what was said, the state) whenever its state changes by a tap or an
 * answer; `shield-sign-in` when somebody wants to sign in again.
 */
export class ShieldFeedbackButton extends ShieldElement {
  private judged: Scan | null = null;
  private box: Outbox | null = null;
  private shown: Shown = { state: "ask", scam: false, comment: "", reason: "" };
  private readonly dialog = document.createElement("shield-feedback-dialog") as ShieldFeedbackDialog;
  private readonly place = h("div", { class: "feedback", part: "feedback" });

  constructor() {
    super();
    this.root.append(this.place, this.dialog);
  }

  get scan(): Scan | null {
    return this.judged;
  }

  set scan(scan: Scan | null) {
    this.judged = scan;
    void this.look();
  }

  get outbox(): Outbox | null {
    return this.box;
  }

  set outbox(outbox: Outbox | null) {
    this.box?.removeEventListener("change", this.changed);
    this.box = outbox;
    if (this.isConnected) outbox?.addEventListener("change", this.changed);
    void this.look();
  }

  get state(): ButtonState {
    return this.shown.state;
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
    const { feedback } = event as OutboxChange;
    if (feedback.scanId !== this.judged?.id) return;
    this.show({ state: feedback.state, scam: feedback.scam, comment: feedback.comment, reason: feedback.message ?? "" });
    this.tell("shield-feedback", feedback);
  };

  /** Find the present state: what waits here is newer than what the server knew when it answered. */
  private async look(): Promise<void> {
    const scan = this.judged;
    if (!scan) return this.show({ state: "ask", scam: false, comment: "", reason: "" });
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
    if (said !== null && decided && decided !== "pending" && !pending)
      this.show({ state: decided, scam: said, comment: "", reason: "" });
    else if (here) this.show({ state: here.state, scam: here.scam, comment: here.comment, reason: here.message ?? "" });
    else if (said !== null) this.show({ state: "sent", scam: said, comment: "", reason: "" });
    else this.show({ state: "ask", scam: false, comment: "", reason: "" });
  }

  private show(shown: Shown): void {
    this.shown = shown;
    this.render();
  }

  private async keep(scam: boolean, comment = ""): Promise<void> {
    const scan = this.judged;
    if (!scan || !this.box) return;
    try {
      await this.box.say(scan, scam, comment);
    } catch (error) {
      this.show({ state: "unkept", scam, comment, reason: error instanceof ShieldError || error instanceof Error ? error.message : String(error) });
    }
  }

  private async object(): Promise<void> {
    if (!this.judged) return;
    const { state, scam, comment } = this.shown;
    const answer = await this.dialog.ask(this.judged, state === "ask" || state === "unkept" ? {} : { scam, comment });
    if (answer) await this.keep(answer.scam, answer.comment);
    this.root.querySelector<HTMLElement>("button")?.focus();
  }

  protected render(): void {
    if (!this.isConnected) return;
    this.dialog.words = this.words;
    const { state, scam, reason } = this.shown;
    const scan = this.judged;
    this.place.hidden = !scan || !this.box;
    this.place.dataset.state = state;
    if (!scan) return this.place.replaceChildren();
    const asks = state === "ask" || state === "unkept";
    const focused = this.root.activeElement !== null && this.place.contains(this.root.activeElement);
    const truth = this.text(scam ? "feedback.truth.scam" : "feedback.truth.harmless");
    const line = asks ? "" : this.text(`feedback.${state}` as "feedback.sent", { truth, reason });
    const button = (word: "correct" | "wrong" | "change" | "sign-in", act: () => void) =>
      h("button", { type: "button", part: "button", onclick: act }, this.text(`feedback.${word}`));
    this.place.replaceChildren(
      ...(state === "unkept" ? [h("p", { class: "line unkept", role: "alert" }, this.text("feedback.unkept", { reason }))] : []),
      ...(asks
        ? [
            h("p", { class: "line", id: "question" }, this.text("feedback.question")),
            h(
              "div",
              { class: "pair", role: "group", "aria-labelledby": "question" },
              button("correct", () => void this.keep(isScam(scan))),
              button("wrong", () => void this.object()),
            ),
          ]
        : [
            h("p", { class: `line ${state}`, role: "status", dir: "auto" }, line),
            ...(state === "signed-out" ? [button("sign-in", () => this.tell("shield-sign-in", { scanId: scan.id }))] : []),
            ...(CHANGEABLE.has(state) ? [button("change", () => void this.object())] : []),
          ]),
    );
    // The button that was pressed is gone: the focus goes on to what has taken its place.
    if (focused) this.root.querySelector<HTMLElement>("button")?.focus();
  }
}
