// Decisions on their way. Each is kept in the tab until the server has answered, so that a session that ends, a
// network that goes or a closed lid loses none: what is left over is offered when the page opens again, to the same
// person alone. Ids and choices are kept, never a message.
import { must } from "../lib/dom";

const STORE = "antispam-shield-kept";

export type Action = "scam" | "harmless";

export interface Kept {
  id: string;
  who: string;
  action: Action;
  url: string;
  fields: [string, string][];
}

function all(): Kept[] {
  try {
    return JSON.parse(window.sessionStorage.getItem(STORE) ?? "[]") as Kept[];
  } catch {
    return [];
  }
}

function store(kept: Kept[]): void {
  if (kept.length > 0) window.sessionStorage.setItem(STORE, JSON.stringify(kept));
  else window.sessionStorage.removeItem(STORE);
}

export function keep(decision: Kept): void {
  store([...all().filter((each) => each.id !== decision.id), decision]);
}

export function letGo(id: string): void {
  store(all().filter((each) => each.id !== id));
}

/** Offer what was left over; nothing is sent before the reviewer says so. */
export function offerKept(who: string, send: (kept: Kept) => void): void {
  const left = all().filter((each) => each.who === who);
  const place = must<HTMLElement>("#kept");
  if (left.length === 0) return;
  const count = left.length === 1 ? "1 decision" : `${left.length} decisions`;
  must("#kept-told").textContent = `${count} of yours had not arrived: ${left.map((each) => each.action).join(", ")}.`;
  const button = must<HTMLButtonElement>("#kept-send");
  button.textContent = left.length === 1 ? `Send “${left[0]!.action}”` : `Send all ${left.length}`;
  place.hidden = false;
  const done = (): void => void (place.hidden = true);
  button.addEventListener("click", () => {
    done();
    for (const each of left) send(each);
  });
  must<HTMLButtonElement>("#kept-look").addEventListener("click", () => window.location.assign(`/review?item=${encodeURIComponent(left[0]!.id)}`));
  must<HTMLButtonElement>("#kept-drop").addEventListener("click", () => {
    done();
    for (const each of left) letGo(each.id);
  });
}

/** A kept decision as the form that it was. */
export function formOf(kept: Kept): FormData {
  const form = new FormData();
  for (const [name, value] of kept.fields) if (name !== "csrf") form.set(name, value);
  return form;
}

export function fieldsOf(form: FormData): [string, string][] {
  return [...form.entries()].filter(([name]) => name !== "csrf").map(([name, value]) => [name, String(value)]);
}
