// Guidelines beside the item: fetched when they are first opened, and opened at the tactic that is chosen.
import { fragment, must } from "../lib/dom";

const AGAIN_MILLISECONDS = 2000;

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
        window.setTimeout(() => void load(), AGAIN_MILLISECONDS); // meanwhile the link to their page stays
        return;
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
