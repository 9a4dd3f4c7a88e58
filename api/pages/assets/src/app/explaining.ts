// Why this phone has judged so, in the reader's language, without a network.
import { explain, type ReasonTables, type Why } from "../judge/reasons";
import { charactersOf } from "./judge";
import type { ScanType } from "./wire";
import { acceptLanguage, language } from "./words";

/** Where the tables are. Put in by the build; the service worker keeps them for offline. */
declare const REASONS: string;

let loading: Promise<ReasonTables> | undefined;

/** Reasons and advice for what was said of a text here; nothing where the tables cannot be had. */
export async function explainHere(text: string, said: { scanType: ScanType; flagged: boolean; sure: boolean }): Promise<Partial<Why>> {
  try {
    loading ??= fetch(REASONS).then((answer) => answer.json() as Promise<ReasonTables>);
    const characters = await charactersOf(said.scanType);
    const country = acceptLanguage().split("-")[1] ?? "";
    return characters ? explain(text, said, await loading, { language: language(), country }, characters) : {};
  } catch {
    loading = undefined;
    return {};
  }
}
