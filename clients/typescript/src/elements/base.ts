// What the elements have in common: a shadow root with the shared style, words, and building without HTML strings.
export { h } from "../generated/lib/element";
import { say, wordsOf, type Word, type Words } from "./words";
import { STYLE } from "./style";

let sheet: CSSStyleSheet | undefined;

/** One sheet for all of them; a sheet that a script builds is allowed by a policy that forbids inline styles. */
function style(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
  }
  return sheet;
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
    return { ...wordsOf(languageAt(this)), ...this.given };
  }

  set words(words: Partial<Words> | null) {
    this.given = words ?? {};
    this.render();
  }

  connectedCallback(): void {
    // Set before the element was defined: the value lies on the instance and hides the accessor.
    for (const name of ["scan", "outbox", "words", "problem", "busy", "said"]) {
      if (!Object.prototype.hasOwnProperty.call(this, name)) continue;
      const self = this as unknown as Record<string, unknown>;
      const value = self[name];
      delete self[name];
      self[name] = value;
    }
    this.render();
  }

  protected text(word: Word, filled?: Record<string, string>): string {
    return say(this.words, word, filled);
  }

  /** Tell the page something; it bubbles out of the shadow root. */
  protected tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  /** Show the present state. Called for an element outside the page too, where it may do nothing. */
  protected abstract render(): void;
}

/** The language that is spoken where an element stands; outside of a page and in a shadow root, the document's. */
function languageAt(element: Element): string {
  return element.closest("[lang]")?.getAttribute("lang") ?? document.documentElement.lang;
}
