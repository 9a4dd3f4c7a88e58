// The texts of the elements in the languages of `/app`. `{reason}` and other places are filled in; docs/phone.md names the same keys.
import { speakFrom, type Word, type Words } from "../generated/elements/words";
import { WORDS } from "../generated/words";

export { WORDS, type Word, type Words };

export const ENGLISH = WORDS.en;

/** The texts of a language as a page names it (`de`, `pt-BR`); English where it is none of ours. */
export function wordsOf(language: string): Words {
  const code = language.toLowerCase().split("-")[0] ?? "";
  return (WORDS as Readonly<Record<string, Words>>)[code] ?? ENGLISH;
}

speakFrom(wordsOf);
