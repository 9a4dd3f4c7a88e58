// What was begun on an item and not decided: note, tactic, reason, scope. It outlives a walk through the queue,
// a refusal, a reload and a new sign-in. Session storage, so that it ends with the tab.
const PREFIX = "antispam-shield-draft ";
const FIELDS = ["notes", "tactic", "reason", "scope"] as const;

type Draft = Partial<Record<(typeof FIELDS)[number], string>>;

export function keepDrafts(detail: HTMLElement, current: () => string | undefined): void {
  const keep = (): void => {
    const form = detail.querySelector<HTMLFormElement>("form.decision");
    const id = current();
    if (!form || !id) return;
    const values = new FormData(form);
    const kept: Draft = {};
    for (const name of FIELDS) kept[name] = String(values.get(name) ?? "");
    window.sessionStorage.setItem(PREFIX + id, JSON.stringify(kept));
  };
  detail.addEventListener("input", keep);
  detail.addEventListener("change", keep);
}

/** Put what was begun back into the form of its item. */
export function restoreDraft(detail: HTMLElement, id: string): void {
  const form = detail.querySelector<HTMLFormElement>("form.decision");
  const kept = window.sessionStorage.getItem(PREFIX + id);
  if (!form || !kept) return;
  const draft = JSON.parse(kept) as Draft;
  for (const name of FIELDS) {
    const value = draft[name];
    if (value === undefined) continue;
    for (const field of form.querySelectorAll<HTMLInputElement | HTMLSelectElement>(`[name="${name}"]`)) {
      if (field instanceof HTMLInputElement && (field.type === "radio" || field.type === "checkbox")) field.checked = field.value === value;
      else field.value = value;
    }
  }
}

/** The item is decided: nothing is left of what was begun. */
export function forgetDraft(id: string): void {
  window.sessionStorage.removeItem(PREFIX + id);
}
