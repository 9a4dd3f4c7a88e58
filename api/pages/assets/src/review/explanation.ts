// Marks in the message what moved the model towards "scam". Fetched after the item is shown: it asks the
// model server, and nobody should wait for that to start reading.
import { h } from "../lib/dom";

interface Explanation {
  text: string;
  spans: { start: number; end: number; weight: number }[];
  note: string;
}

export async function explain(detail: HTMLElement): Promise<void> {
  const message = detail.querySelector<HTMLElement>("[data-explain]");
  const note = detail.querySelector<HTMLElement>("#explained");
  if (!message || !note) return;
  const answer = await fetch(message.dataset.explain ?? "", { headers: { "X-Fragment": "1" }, credentials: "same-origin" });
  if (!answer.ok || !message.isConnected) return;
  const found = (await answer.json()) as Explanation;
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
  note.textContent = found.note;
  note.hidden = found.note === "";
}
