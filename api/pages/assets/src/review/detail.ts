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
  if (box) box.checked = !box.checked;
}
