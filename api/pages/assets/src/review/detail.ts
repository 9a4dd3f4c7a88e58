// What keys do to the item on the screen.

/** Unfold all its details; fold them when all are unfolded. */
export function toggleDetails(detail: HTMLElement): void {
  const all = [...detail.querySelectorAll("details")];
  const unfold = all.some((each) => !each.open);
  for (const each of all) each.open = unfold;
}

/** Decide on the whole campaign, or on this report alone. */
export function toggleScope(detail: HTMLElement): void {
  const box = detail.querySelector<HTMLInputElement>("input[name=scope]");
  if (!box) return;
  box.checked = !box.checked;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}

/** Choose the team's reason of this place, from 1. */
export function chooseReason(detail: HTMLElement, place: number): void {
  detail.querySelectorAll<HTMLInputElement>("input[name=reason]")[place - 1]?.click();
}

/** Tell whether a reason must still be chosen, and lead there. */
export function needsReason(form: HTMLFormElement): boolean {
  const reasons = [...form.querySelectorAll<HTMLInputElement>("input[name=reason]")];
  if (reasons.length === 0 || reasons.some((each) => each.checked)) return false;
  reasons[0]!.focus();
  return true;
}
