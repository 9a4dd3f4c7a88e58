// What the elements have in common: a shadow root with the shared style, words, and building without HTML strings.
import { h } from "../lib/element";
import { shapesOf } from "./icons";
import { STYLE } from "./style";
import { wordsOf, type Word, type Words } from "./words";

export { h };

let sheet: CSSStyleSheet | undefined;

/** One sheet for all of them; a sheet that a script builds is allowed by a policy that forbids inline styles. */
function style(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
  }
  return sheet;
}

/** A decorative icon: the words beside it carry the meaning. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" })) svg.setAttribute(key, value);
  svg.append(...shapesOf(name));
  return svg;
}

export abstract class ShieldElement extends HTMLElement {
  protected readonly root: ShadowRoot;
  private given: Partial<Words> = {};

  constructor() {
    super();
    this.root = this.attachShadow({ mode: "open", delegatesFocus: false });
    this.root.adoptedStyleSheets = [style()];
  }

  /** Texts; what is not given follows the language of the page (`lang`), English where that is none of ours. */
  get words(): Words {
    return { ...wordsOf(this.language), ...this.given };
  }

  set words(words: Partial<Words> | null) {
    this.given = words ?? {};
    this.render();
  }

  /** The language that is spoken where the element stands; outside of a page and in a shadow root, the document's. */
  protected get language(): string {
    return this.closest("[lang]")?.getAttribute("lang") || document.documentElement.lang || "en";
  }

  connectedCallback(): void {
    // Set before the element was defined: the value lies on the instance and hides the accessor.
    for (const name of ["scan", "outbox", "words", "problem"]) {
      if (!Object.prototype.hasOwnProperty.call(this, name)) continue;
      const self = this as unknown as Record<string, unknown>;
      const value = self[name];
      delete self[name];
      self[name] = value;
    }
    this.render();
  }

  protected text(word: Word, filled: Record<string, string> = {}): string {
    return this.words[word].replace(/\{(\w+)\}/g, (place, name: string) => filled[name] ?? place);
  }

  /** Tell the page something; it bubbles out of the shadow root. Returns false where the page has taken it over (`preventDefault`). */
  protected tell(name: string, detail: unknown): boolean {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable: true }));
  }

  /** Show the present state. Called for an element outside the page too, where it may do nothing. */
  protected abstract render(): void;
}
