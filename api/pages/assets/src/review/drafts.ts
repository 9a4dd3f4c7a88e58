// Notes that were begun, by item: they outlive a walk through the queue, a refusal, a reload and a new sign-in.
// Session storage, so that they end with the tab.
const PREFIX = "antispam-shield-note ";

export function keepDrafts(detail: HTMLElement, current: () => string | undefined): void {
  detail.addEventListener("input", (event) => {
    const field = event.target as HTMLInputElement;
    const id = current();
    if (field.name === "notes" && id) draft(id, field.value);
  });
}

/** Put a note that was begun back into the form of its item. */
export function restoreDraft(detail: HTMLElement, id: string): void {
  const field = detail.querySelector<HTMLInputElement>("#notes");
  const kept = window.sessionStorage.getItem(PREFIX + id);
  if (field && kept) field.value = kept;
}

/** Keep a note; an empty one is forgotten. */
export function draft(id: string, text: string): void {
  if (text) window.sessionStorage.setItem(PREFIX + id, text);
  else window.sessionStorage.removeItem(PREFIX + id);
}
