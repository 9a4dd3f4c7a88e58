// Warning others: the phone's own share sheet, else the clipboard. Links are cut out, so that nobody taps one.
import { toast } from "../lib/dom";
import { withoutLinks } from "../lib/links";
import type { KeptScan } from "./store";
import { say } from "./words";

const LONGEST = 300;

/** The warning as it is sent. */
export function warning(scan: KeptScan): string {
  const harmless = withoutLinks(scan.text, say("share.link")).replace(/\s+/g, " ").trim();
  const characters = [...harmless];
  return say("share.text", { text: characters.length > LONGEST ? `${characters.slice(0, LONGEST).join("")}…` : harmless });
}

export async function warnOthers(scan: KeptScan): Promise<void> {
  const text = warning(scan);
  try {
    if (typeof navigator.share === "function") return await navigator.share({ text });
    await navigator.clipboard.writeText(text);
    toast(say("share.copied"));
  } catch (error) {
    // Closed without sharing: that is an answer.
    if (!(error instanceof DOMException && error.name === "AbortError")) toast(say("share.failed"), "bad");
  }
}
