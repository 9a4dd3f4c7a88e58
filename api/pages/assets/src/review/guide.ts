// Guidelines beside the item: fetched when they are first opened, and opened at the tactic that is chosen.
import { fragment, must } from "../lib/dom";

export function startGuide(detail: HTMLElement): () => void {
  const box = must<HTMLDetailsElement>("#guide");
  const place = must<HTMLElement>("#guide-text", box);
  let loaded = false;

  async function load(): Promise<void> {
    if (!box.open) return;
    if (!loaded) {
      try {
        place.replaceChildren(await fragment("/review/guide"));
        loaded = true;
      } catch {
        return; // the link to the page of guidelines stays
      }
    }
    const chosen = detail.querySelector<HTMLSelectElement>("#tactic")?.value ?? "";
    for (const each of place.querySelectorAll<HTMLElement>("[data-tactic]")) each.classList.toggle("chosen", each.dataset.tactic === chosen);
    place.querySelector(".chosen")?.scrollIntoView({ block: "nearest" });
  }

  box.addEventListener("toggle", () => void load());
  detail.addEventListener("change", (event) => void ((event.target as HTMLElement).id === "tactic" && load()));
  return () => {
    box.open = !box.open;
    if (box.open) must<HTMLElement>("summary", box).focus();
  };
}
