// The language that the reader chose or the browser asks for, and everything that is said in it. The sentences
// stand in `src/words/LANGUAGE.json`, those about scan types in `src/words/all/scan-types.json`; `words.mjs` checks
// at build time that each language has all of them.
import type english from "../words/en.json";
import { speakFrom } from "../elements/words";
import * as moments from "../lib/moments";
import { shownLanguage } from "./store";
import type scanTypes from "../words/all/scan-types.json";

type Table = typeof english & Record<keyof typeof scanTypes, string>;
/** A sentence. */
export type Key = { [K in keyof Table]: Table[K] extends string ? K : never }[keyof Table];
/** A sentence with plural forms. */
export type CountedKey = Exclude<keyof Table, Key>;
type Forms = Partial<Record<Intl.LDMLPluralRule, string>>;

/** Language -> its own name, and where its table is. Put in by the build. */
declare const LANGUAGES: Record<string, { name: string; file: string }>;
/** The whole English table. Put in by the build. */
declare const ENGLISH: Table;

const FALLBACK = "en";
const CHOSEN_LANGUAGE = "antispam-shield-language";
const CHOSEN_COUNTRY = "antispam-shield-country";
const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur"]);

let spoken = FALLBACK;
let table: Table = ENGLISH;
// What the elements say is among it.
speakFrom(() => table);

/** The language that is shown now, e.g. `ar`. */
export function language(): string {
  return spoken;
}

/** All languages that there are, each by its own name. */
export function languages(): [code: string, name: string][] {
  return Object.entries(LANGUAGES).map(([code, { name }]) => [code, name]);
}

/** Show everything in the language that was chosen here, else in the first of the browser's that we speak. */
export async function findLanguage(): Promise<void> {
  const wanted = [remembered(CHOSEN_LANGUAGE), ...navigator.languages].map((tag) => tag.toLowerCase().split("-")[0] ?? "");
  await speak(wanted.find((code) => code in LANGUAGES) ?? FALLBACK);
}

/** Change the language for good. */
export async function chooseLanguage(code: string): Promise<void> {
  remember(CHOSEN_LANGUAGE, code);
  await speak(code);
}

/** The country that was chosen here (ISO 3166), or "" for the browser's. */
export function country(): string {
  return remembered(CHOSEN_COUNTRY);
}

export function chooseCountry(code: string): void {
  remember(CHOSEN_COUNTRY, code);
}

/** What the API is asked for: the language that is shown, with the reader's country, which says who takes reports. */
export function acceptLanguage(): string {
  const region = country() || navigator.languages.map((tag) => /^\w+(?:-\w{4})?-([A-Za-z]{2})\b/.exec(tag)?.[1]).find(Boolean);
  return region ? `${spoken}-${region.toUpperCase()}` : spoken;
}

async function speak(code: string): Promise<void> {
  const found = LANGUAGES[code];
  try {
    table = code === FALLBACK || !found ? ENGLISH : ((await (await fetch(found.file)).json()) as Table);
    spoken = code;
  } catch {
    [table, spoken] = [ENGLISH, FALLBACK];
  }
  // Where nothing can be kept, nothing wakes the phone either.
  void shownLanguage.write(spoken).catch(() => undefined);
  document.documentElement.lang = spoken;
  document.documentElement.dir = RIGHT_TO_LEFT.has(spoken) ? "rtl" : "ltr";
  document.title = `${say("title")} · Antispam Shield`;
  translate(document);
}

/** Fill in whatever the page's markup names by `data-words`, `data-words-label` or `data-words-placeholder`. */
function translate(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-words]")) element.textContent = say(element.dataset.words as Key);
  for (const element of root.querySelectorAll<HTMLElement>("[data-words-label]")) element.ariaLabel = say(element.dataset.wordsLabel as Key);
  for (const element of root.querySelectorAll<HTMLTextAreaElement>("[data-words-placeholder]"))
    element.placeholder = say(element.dataset.wordsPlaceholder as Key);
}

/** One sentence; names in curly brackets are replaced by `parts`. */
export function say(key: Key, parts: Record<string, string> = {}): string {
  return fill(table[key], parts);
}

/** One sentence in the form that its number asks for. */
export function count(key: CountedKey, number: number): string {
  const forms: Forms = table[key];
  const form = forms[new Intl.PluralRules(spoken).select(number)] ?? forms.other ?? "";
  return fill(form, { count: new Intl.NumberFormat(moments.localeOf(spoken)).format(number) });
}

function fill(sentence: string, parts: Record<string, string>): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => parts[name] ?? whole);
}

/** A size in megabytes, as the reader's language writes it. */
export function megabytes(bytes: number): string {
  return new Intl.NumberFormat(moments.localeOf(spoken), { style: "unit", unit: "megabyte", maximumFractionDigits: 1 }).format(Math.max(0.1, bytes / 1e6));
}

/** Several things in one sentence: "calls and links". */
export function list(things: string[]): string {
  return new Intl.ListFormat(spoken).format(things);
}

/** A day and a time, said from today: "today at 14:02", "3 March". */
export function moment(at: Date): string {
  return moments.moment(at, spoken);
}

/** A day, with its year if it is another one. */
export function day(at: Date): string {
  return moments.day(at, spoken);
}

// A private window may have no storage: the choice then holds while the page is open.
const held = new Map<string, string>();

/** What this browser was told to remember, or "". */
export function remembered(name: string): string {
  try {
    return held.get(name) ?? window.localStorage.getItem(name) ?? "";
  } catch {
    return held.get(name) ?? "";
  }
}

export function remember(name: string, value: string): void {
  held.set(name, value);
  try {
    window.localStorage.setItem(name, value);
  } catch {
    // It is held.
  }
}
