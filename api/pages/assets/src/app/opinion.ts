// The dialog behind "Wrong": what is the message really, and a word to the reviewer.
import { must } from "../lib/dom";
import { isScam, type Scan } from "./wire";

export interface Answer {
  scam: boolean;
  comment: string;
}

/** Open the dialog for one scan. Resolves to what the user said, or null when they closed it. */
export function askForOpinion(scan: Scan): Promise<Answer | null> {
  const dialog = must<HTMLDialogElement>("#opinion");
  const form = must<HTMLFormElement>("form", dialog);
  form.reset();
  // Whoever says "Wrong" most likely means the opposite of the verdict.
  must<HTMLInputElement>(`input[value=${isScam(scan) ? "safe" : "scam"}]`, form).checked = true;
  must<HTMLButtonElement>("[data-close]", dialog).onclick = () => dialog.close();
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        const given = new FormData(form);
        const sent = dialog.returnValue === "send";
        resolve(sent ? { scam: given.get("truth") === "scam", comment: String(given.get("comment")).trim() } : null);
      },
      { once: true },
    );
  });
}
