// Marks in the message what moved the model towards "scam". Fetched after the item is shown, and ahead for
// the next one: it asks the model server, and nobody should wait for that to start reading.
import { h } from "../lib/dom";

interface Explanation {
  text: string;
  spans: { start: number; end: number; weight: number }[];
  note: string;
}

const asked = new Map<string, Promise<Explanation>>();

function ask(url: string): Promise<Explanation> {
  let found = asked.get(url);
  if (!found) {
    found = fetch(url, { headers: { "X-Fragment": "1" }, credentials: "same-origin" }).then(async (answer) => {
      if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
      return (await answer.json()) as Explanation;
    });
    found.catch(() => asked.delete(url));
    asked.set(url, found);
  }
  return found;
}

/** Ask for an item that is not shown yet. */
export function explainAhead(page: DocumentFragment): void {
  const url = page.querySelector<HTMLElement>("[data-explain]")?.dataset.explain;
  if (url) ask(url).catch(() => undefined);
}

export async function explain(detail: HTMLElement): Promise<void> {
  const message = detail.querySelector<HTMLElement>("[data-explain]");
  const note = detail.querySelector<HTMLElement>("#explained");
  if (!message || !note) return;
  note.hidden = false; // the line is there from the start, so that nothing jumps under the eyes
  note.textContent = "Asking the model what stands out …";
  try {
    const found = await ask(message.dataset.explain ?? "");
    if (message.isConnected) show(message, found);
    note.textContent = found.note;
  } catch {
    note.textContent = "The model does not answer, so nothing is marked.";
  }
}

function show(message: HTMLElement, found: Explanation): void {
  // Offsets count code points, as Python does; JavaScript's strings count halves of some.
  const letters = [...found.text];
  const parts: (Node | string)[] = [];
  let at = 0;
  for (const span of found.spans) {
    parts.push(letters.slice(at, span.start).join(""));
    const words = letters.slice(span.start, span.end).join("");
    parts.push(h("mark", { class: span.weight < 0.5 ? "weak" : "strong" }, words));
    at = span.end;
  }
  parts.push(letters.slice(at).join(""));
  message.replaceChildren(...parts);
}
