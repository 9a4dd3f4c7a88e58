// What the elements say, and in which language. The texts come from outside: a page has those of one language, the npm package all.
import type { Word } from "./texts";

export type { Word };
export type Words = Readonly<Record<Word, string>>;

let texts: ((language: string) => Words) | undefined;

/** Take all texts from here; called before the first element is shown. */
export function speakFrom(source: (language: string) => Words): void {
  texts = source;
}

/** The texts of a language as a page names it (`de`, `pt-BR`). */
export function wordsOf(language: string): Words {
  if (!texts) throw new Error("The elements have no texts: call speakFrom first.");
  return texts(language);
}
