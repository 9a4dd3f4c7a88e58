// Rollouts, live: the cards are fetched again every two seconds while somebody looks, and every action asks why.
import { fragment, must } from "../lib/dom";

const EVERY_MILLISECONDS = 2000;

export function startRollouts(root: HTMLElement): void {
  const live = must<HTMLElement>("#live");
  const dialog = must<HTMLDialogElement>("#reason-dialog");
  const reason = must<HTMLTextAreaElement>("#reason", dialog);
  let asked: HTMLFormElement | null = null;

  must<HTMLButtonElement>("[data-close]", dialog).addEventListener("click", () => dialog.close("cancel"));
  root.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (form.dataset.confirmed) return;
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
  for (const field of root.querySelectorAll<HTMLInputElement>(".steer input[name=reason]")) field.required = false;

  async function refresh(): Promise<void> {
    if (document.hidden || dialog.open || root.contains(document.activeElement)) return;
    try {
      const content = await fragment(root.dataset.refresh ?? "");
      const open = [...root.querySelectorAll("details")].map((each) => each.open);
      for (const field of content.querySelectorAll<HTMLInputElement>(".steer input[name=reason]")) field.required = false;
      const scrolled = [...root.querySelectorAll(".scroll")].map((each) => each.scrollLeft);
      root.replaceChildren(content);
      root.querySelectorAll("details").forEach((each, index) => (each.open = open[index] ?? false));
      root.querySelectorAll(".scroll").forEach((each, index) => (each.scrollLeft = scrolled[index] ?? 0));
      if (live.textContent !== "Live") live.textContent = "Live";
      live.classList.remove("stale");
    } catch {
      live.textContent = "Not live: the server does not answer.";
      live.classList.add("stale");
    }
  }
  window.setInterval(() => void refresh(), EVERY_MILLISECONDS);
}
