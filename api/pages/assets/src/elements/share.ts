// Warning others: the phone's own share sheet, else the clipboard. Links are cut out, so that nobody taps one.
import { withoutLinks } from "../lib/links";
import type { Word } from "./words";

/** How a warning ended; null where the person closed the share sheet. */
export type Shared = "shared" | "copied" | "failed" | null;

const LONGEST_CHARACTERS = 300;

/** The warning as it is sent. */
export function warning(message: string, text: (word: Word, filled?: Record<string, string>) => string): string {
  const characters = [...withoutLinks(message, text("share.link")).replace(/\s+/g, " ").trim()];
  const cut = characters.length > LONGEST_CHARACTERS ? `${characters.slice(0, LONGEST_CHARACTERS).join("")}…` : characters.join("");
  return text("share.text", { text: cut });
}

export async function warnOthers(words: string): Promise<Shared> {
  try {
    if (typeof navigator.share === "function") {
      await navigator.share({ text: words });
      return "shared";
    }
    await navigator.clipboard.writeText(words);
    return "copied";
  } catch (error) {
    return error instanceof DOMException && error.name === "AbortError" ? null : "failed";
  }
}
