// The dialog behind "Wrong": what is the message really, and a word to the reviewer.
import { must } from "../lib/dom";
import type { KeptScan } from "./store";
import { isScam } from "./wire";

export interface Opinion {
  scam: boolean;
  comment: string;
}

/**
 * Open the dialog for one scan, with `scam` chosen; left out, the opposite of the verdict, which "Wrong" most likely
 * means. Resolves to what the user said, or null when they closed it.
 */
export function askForOpinion(scan: KeptScan, scam = !isScam(scan)): Promise<Opinion | null> {
  const dialog = must<HTMLDialogElement>("#opinion");
  const form = must<HTMLFormElement>("form", dialog);
  const comment = must<HTMLTextAreaElement>("#comment", form);
  // Closed by accident and opened again: what was written is still there.
  if (dialog.dataset.scan !== scan.id) comment.value = scan.opinion?.comment ?? "";
  dialog.dataset.scan = scan.id;
  must<HTMLInputElement>(`input[value=${scam ? "scam" : "safe"}]`, form).checked = true;
  must<HTMLButtonElement>("[data-close]", dialog).onclick = () => dialog.close();
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        const given = new FormData(form);
        const sent = dialog.returnValue === "send";
        if (sent) delete dialog.dataset.scan;
        resolve(sent ? { scam: given.get("truth") === "scam", comment: String(given.get("comment")).trim() } : null);
      },
      { once: true },
    );
  });
}
