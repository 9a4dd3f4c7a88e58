// Small DOM vocabulary. Nothing here parses HTML, except `fragment`, which takes our own server's answer.

import { h } from "./element";

export { h };

/** Find the one element that the page must have; a page without it is a bug, not a state. */
export function must<T extends Element>(selector: string, within: ParentNode = document): T {
  const found = within.querySelector<T>(selector);
  if (!found) throw new Error(`The page has no ${selector}.`);
  return found;
}

/** An icon of the sprite in the page's layout. Decorative: the words beside it carry the meaning. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Say something for a moment, to eyes and to screen readers, with an optional single action. */
export function toast(message: string, kind: "plain" | "bad" = "plain", action?: [string, () => void]): void {
  const region = must<HTMLElement>("#toasts");
  const note = h("div", { class: `toast ${kind}` }, h("span", {}, message));
  if (action) {
    const [label, run] = action;
    note.append(h("button", { type: "button", onclick: () => (note.remove(), run()) }, label));
  }
  aboveDialogs(region);
  region.replaceChildren(note);
  // Time to read it, slowly.
  window.setTimeout(() => note.remove(), Math.max(action ? 8000 : 5000, 80 * message.length));
}

/** Behind an open dialog all is dimmed and read to nobody: while one is open, what is said is said in it. */
function aboveDialogs(region: HTMLElement): void {
  const [open] = [...document.querySelectorAll<HTMLDialogElement>("dialog:modal")].reverse();
  if ((open ?? document.body) === region.parentElement) return;
  (open ?? document.body).append(region);
  open?.addEventListener("close", () => document.body.append(region), { once: true });
}

/** What an error says to people. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

interface TrustedPolicy {
  createHTML(html: string): string;
  createScriptURL(url: string): string;
}

const factory = (window as unknown as {
  trustedTypes?: { createPolicy(name: string, rules: TrustedPolicy): TrustedPolicy };
}).trustedTypes;

/** The one policy that the Content-Security-Policy allows: same-origin answers and our own worker. */
export const trusted: TrustedPolicy = factory
  ? factory.createPolicy("shield", { createHTML: (html) => html, createScriptURL: (url) => url })
  : { createHTML: (html) => html, createScriptURL: (url) => url };

/** Fetch a piece of a page of our own server. Signed out meanwhile: go to the sign-in page. */
export async function fragment(url: string): Promise<DocumentFragment> {
  const answer = await fetch(url, { headers: { "X-Fragment": "1" }, credentials: "same-origin" });
  if (answer.status === 401) {
    window.location.assign(`/login?next=${encodeURIComponent(window.location.pathname + window.location.search)}`);
    throw new Error("Signed out.");
  }
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  const template = document.createElement("template");
  template.innerHTML = trusted.createHTML(await answer.text());
  return template.content;
}
