// Single keys, for hands that stay on the keyboard. They can be switched off (WCAG 2.1.4), and they are off
// wherever somebody writes.
import { must } from "../lib/dom";

const SETTING = "antispam-shield-keys";

export type Bindings = Record<string, () => void>;

export function bindKeys(bindings: Bindings): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    const target = event.target as HTMLElement;
    if (writes(target)) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (!keysAreOn() || document.querySelector("dialog[open]")) return;
    const run = bindings[event.key.toLowerCase()];
    if (!run) return;
    event.preventDefault();
    run();
  });
}

function writes(target: HTMLElement): boolean {
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit"].includes(target.type);
}

export function keysAreOn(): boolean {
  return window.localStorage.getItem(SETTING) !== "off";
}

/** The dialog behind "?": lists the keys and switches them on and off. */
export function keysDialog(): () => void {
  const dialog = must<HTMLDialogElement>("#keys");
  const on = must<HTMLInputElement>("#keys-on");
  const button = must<HTMLButtonElement>("#show-keys");
  on.checked = keysAreOn();
  on.addEventListener("change", () => window.localStorage.setItem(SETTING, on.checked ? "on" : "off"));
  must("[data-close]", dialog).addEventListener("click", () => dialog.close());
  button.hidden = false;
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "?") return;
    event.preventDefault();
    event.stopPropagation(); // or the page would open it again
    dialog.close();
  });
  const show = (): void => dialog.showModal();
  button.addEventListener("click", show);
  return show;
}
