// What comes in while the page is open: the count stays true, and an empty queue fills by itself.
import { must } from "../lib/dom";

const EVERY_MILLISECONDS = 20_000;

interface Line {
  /** How many items the page knows that may still be decided, and those on pages not loaded yet. */
  known(): { open: number; more: boolean; busy: boolean };
  count(total: number): void;
}

export function watchArrivals(root: HTMLElement, line: Line): void {
  const fresh = must<HTMLElement>("#fresh");
  const link = must<HTMLAnchorElement>("a", fresh);

  async function look(): Promise<void> {
    if (document.hidden || line.known().busy) return;
    const answer = await fetch(`/review/waiting?${root.dataset.query ?? ""}`, { headers: { "X-Fragment": "1" }, credentials: "same-origin" });
    if (!answer.ok) return;
    const { total } = (await answer.json()) as { total: number };
    const { open, more, busy } = line.known();
    if (busy) return; // decided meanwhile: this answer is older than that
    line.count(total);
    const arrived = more ? 0 : total - open;
    fresh.hidden = arrived <= 0;
    link.textContent = arrived === 1 ? "Show 1 new item" : `Show ${arrived} new items`;
    if (open === 0 && total > 0) window.location.assign(link.href);
  }

  const quietly = (): void => void look().catch(() => undefined);
  window.setInterval(quietly, EVERY_MILLISECONDS);
  document.addEventListener("visibilitychange", quietly);
}
