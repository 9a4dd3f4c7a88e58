// One question with one action, in the page's own dialog: in the reader's language and direction, and read aloud.
import { must } from "../lib/dom";
import { say } from "./words";

interface Question {
  title: string;
  what?: string;
  /** What the action is called; left out, there is nothing to do but to close. */
  yes?: string;
  /** The action destroys something. */
  danger?: boolean;
}

/** Resolves to whether the action was chosen. */
export function ask(question: Question): Promise<boolean> {
  const dialog = must<HTMLDialogElement>("#ask");
  must("#ask-title").textContent = question.title;
  must<HTMLElement>("#ask-what").hidden = !question.what;
  must("#ask-what").textContent = question.what ?? "";
  const yes = must<HTMLButtonElement>("#ask-yes");
  yes.hidden = question.yes === undefined;
  yes.textContent = question.yes ?? "";
  yes.className = question.danger ? "bad" : "primary";
  must("#ask-no").textContent = say(question.yes === undefined ? "close" : "cancel");
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}
