import { isScam, type Judged } from "../lib/verdicts";
import { h, icon, ShieldElement } from "./base";

/** What somebody says in the dialog. */
export interface Answer {
  scam: boolean;
  comment: string;
}

/** Longest comment that the API takes. */
const COMMENT_CHARACTERS = 2000;

/**
 * `<shield-feedback-dialog>`: what is the message really, and a word to the reviewer.
 *
 * `ask(scan)` opens it. Events: `shield-answer` (`detail`: `Answer`), `shield-cancel`. Escape cancels; the focus returns
 * to where it was. A comment that was begun is still there when the dialog is opened again for the same scan.
 */
export class ShieldFeedbackDialog extends ShieldElement {
  private dialog: HTMLDialogElement | undefined;
  private about: string | null = null;
  private draft = "";

  /**
   * Open for one scan. Resolves to what the person said, or to null when they closed it.
   *
   * @param said What they have said before, if anything, to begin with.
   */
  ask(scan: Judged & { id: string }, said: Partial<Answer> = {}): Promise<Answer | null> {
    if (!this.isConnected) throw new Error("Put the dialog into the page before it is opened.");
    if (this.about !== scan.id) this.draft = said.comment ?? "";
    this.about = scan.id;
    this.render();
    const dialog = this.dialog!;
    const form = dialog.querySelector("form")!;
    // Whoever says "Wrong" most likely means the opposite of the verdict.
    const scam = said.scam ?? !isScam(scan);
    form.querySelector<HTMLInputElement>(`input[value=${scam ? "scam" : "harmless"}]`)!.checked = true;
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener(
        "close",
        () => {
          const given = new FormData(form);
          const comment = String(given.get("comment") ?? "");
          const sent = dialog.returnValue === "send";
          this.draft = sent ? "" : comment;
          if (sent) this.about = null;
          const answer = sent ? { scam: given.get("truth") === "scam", comment: comment.trim() } : null;
          this.tell(answer ? "shield-answer" : "shield-cancel", answer);
          resolve(answer);
        },
        { once: true },
      );
    });
  }

  get open(): boolean {
    return this.dialog?.open ?? false;
  }

  protected render(): void {
    if (!this.isConnected || this.open) return;
    const choice = (value: "harmless" | "scam", symbol: string) =>
      h("label", {}, h("input", { type: "radio", name: "truth", value, required: true }), h("span", {}, icon(symbol), this.text(`dialog.${value}`)));
    const comment = h("textarea", { id: "comment", name: "comment", rows: "3", maxlength: String(COMMENT_CHARACTERS), placeholder: this.text("dialog.hint"), dir: "auto", "aria-describedby": "who-reads" });
    comment.value = this.draft;
    this.dialog = h(
      "dialog",
      { "aria-labelledby": "title", part: "dialog" },
      h(
        "form",
        { method: "dialog" },
        h("h2", { id: "title" }, this.text("dialog.title")),
        h("fieldset", { class: "choices", "aria-labelledby": "title" }, choice("harmless", "check"), choice("scam", "warning")),
        h("label", { for: "comment" }, this.text("dialog.comment")),
        comment,
        h("p", { id: "who-reads", class: "fine" }, this.text("dialog.who-reads")),
        h(
          "div",
          { class: "actions" },
          h("button", { type: "button", onclick: () => this.dialog?.close("") }, this.text("cancel")),
          h("button", { class: "primary", value: "send" }, this.text("dialog.send")),
        ),
      ),
    );
    this.root.replaceChildren(this.dialog);
  }
}
