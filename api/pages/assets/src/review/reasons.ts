// Whatever changes what people meet asks why first; without this script the reason stands in the form itself.
import { must } from "../lib/dom";

export function askForReasons(dialog: HTMLDialogElement): void {
  const reason = must<HTMLTextAreaElement>("#reason", dialog);
  let asked: HTMLFormElement | null = null;

  must<HTMLButtonElement>("[data-close]", dialog).addEventListener("click", () => dialog.close("cancel"));
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (!form.matches("form.steer") || form.dataset.confirmed) return;
    event.preventDefault();
    asked = form;
    reason.value = "";
    must("#reason-what", dialog).textContent = form.dataset.reason ?? "";
    dialog.returnValue = "";
    dialog.showModal();
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "go" || !asked) return;
    must<HTMLInputElement>("input[name=reason]", asked).value = reason.value.trim();
    asked.dataset.confirmed = "yes";
    asked.requestSubmit();
  });
  reasonsComeLater(document);
}

/** The fields are hidden, so the browser must not insist on them before the dialog has asked. */
export function reasonsComeLater(within: ParentNode): void {
  for (const field of within.querySelectorAll<HTMLInputElement>(".steer input[name=reason]")) field.required = false;
}
