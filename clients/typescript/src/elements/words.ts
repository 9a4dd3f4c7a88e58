// Every text of the elements, in the languages of `/app`. `{truth}` and `{reason}` are filled in. docs/phone.md names the same keys.
import { WORDS } from "../generated/words";

export { WORDS };

export const ENGLISH = WORDS.en;

export type Word = keyof typeof ENGLISH;
export type Words = Readonly<Record<Word, string>>;

/** The texts of a language as a page names it (`de`, `pt-BR`); English where it is none of ours. */
export function wordsOf(language: string): Words {
  const code = language.toLowerCase().split("-")[0] ?? "";
  return (WORDS as Readonly<Record<string, Words>>)[code] ?? ENGLISH;
}

/** A text with its places filled in. */
export function say(words: Words, word: Word, filled: Record<string, string> = {}): string {
  return words[word].replace(/\{(\w+)\}/g, (place, name: string) => filled[name] ?? place);
}
