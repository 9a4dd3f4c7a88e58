// Rollouts, live: the cards are fetched again every two seconds while somebody looks.
import { fragment, must } from "../lib/dom";
import { reasonsComeLater } from "./reasons";
import { nameCells } from "./tables";

const EVERY_MILLISECONDS = 2000;

export function startRollouts(root: HTMLElement): void {
  const live = must<HTMLElement>("#live");

  async function refresh(): Promise<void> {
    // Nothing moves under somebody's fingers.
    if (document.hidden || document.querySelector("dialog[open]") || root.contains(document.activeElement)) return;
    try {
      const content = await fragment(root.dataset.refresh ?? "");
      const open = [...root.querySelectorAll("details")].map((each) => each.open);
      const scrolled = [...root.querySelectorAll(".scroll")].map((each) => each.scrollLeft);
      reasonsComeLater(content);
      nameCells(content);
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
