// Why a message reads like a scam, or like none, and what to do now: by the tables and rules of shield/reasons, without a
// network. What compares a message with the book's tactics, or a link with a name's own addresses, is the server's alone.
import { points, type Characters, type Points } from "./characters";
import { hasLink, linksOf } from "./known";
import { hasWords, NORMALISERS } from "./normalise";
import { decomposed, lower } from "./unicode";

/** `src/reasons.json`, as api/pages/reasons.py writes it. */
export interface ReasonTables {
  /** Sign -> language -> phrases: words in order, `+` before a word with up to three others before it, `*` behind one that may go on. */
  signs: Record<string, Record<string, string[]>>;
  /** Language -> words that take a phrase back: "never send money". */
  takesBack: Record<string, string[]>;
  neverTakenBack: string[];
  wanted: string[];
  pressure: string[];
  /** What a harmless message does not do. */
  alarming: string[];
  /** A pattern of what may be an address to somebody; letters of any case. */
  maybeLink: string;
  /** Id -> language -> sentence. */
  sentences: Record<string, Record<string, string>>;
  /** Country -> who takes reports. */
  places: Record<string, { sms?: string; else: string }>;
}

export interface Why {
  reasons: { id: string; kind: string; sentence: string }[];
  advice: { whatToDoNow: string; whoToTell: string | null };
}

/** Whose language and country. */
export interface ReasonReader {
  language: string;
  /** ISO 3166; empty: unknown. */
  country: string;
}

const LONGEST = 5000;
const MOST = 6;
const [GAP, BEFORE] = [3, 4];
const NORMALISER = "scam-text-v3";
const MARK = 0x2021;
const LOW_LINE = 0x5f;
const CURRENCIES = new Set([..."£$€₹"].map((sign) => sign.codePointAt(0)!));
/** Vowel signs that are no letters, and no word ends at one. */
const VOWELS: [number, number][] = [[0x610, 0x61a], [0x64b, 0x65f], [0x900, 0x963], [0x966, 0x97f]];
const ACCENTS: [number, number][] = [[0x300, 0x36f], [0x610, 0x61a], [0x64b, 0x65f]];
const ARABIC_ENDINGS = new Map<number, number | null>([[0x649, 0x64a], [0x629, 0x647], [0x640, null]]);
const WORD = "\\p{L}\\p{N}_";
const PHONE = new RegExp(`(?<![${WORD}/.-])\\+?\\p{Nd}(?:[ ().-]{0,2}\\p{Nd}){6,14}(?![${WORD}/-])`, "u");
const BROKEN =
  /\bh(?:xx|\*\*)ps?\b|\bhttps?(?: ?\[:\]| :? ?\/\/|: \/\/)|[\p{L}\p{N}_] ?(?:\[\.\]|\[dot\]|\(dot\)|\(\.\)) ?[\p{L}\p{N}_]|[\p{L}\p{N}_] dot (?:com|net|org|info|top|xyz)\b/iu;
const NUMBERS = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur"]);

/** Why a message was judged so. `flagged`: a scam was said; `sure`: with certainty. */
export function explain(
  text: string,
  said: { scanType: string; flagged: boolean; sure: boolean },
  tables: ReasonTables,
  reader: ReasonReader,
  characters: Characters,
): Why {
  const { flagged, sure } = said;
  const one = (id: string, kind: string, parts: Record<string, string> = {}) => ({ id, kind, sentence: say(tables, reader, id, parts) });
  if (!hasWords(points(text), characters))
    return { reasons: [one("no-words", "whole")], advice: advice(said.scanType, false, false, tables, reader) };
  const signs = signsOf(text, tables, characters);
  const warnings = (): Why["reasons"] => {
    if (!PHONE.test(text.slice(0, LONGEST))) signs.delete("call-them");
    const ordered = Object.keys(tables.signs).filter((sign) => signs.has(sign));
    const numbered = linksOf(text).filter((link) => NUMBERS.test(link.hostname));
    return [
      ...ordered.filter((sign) => tables.wanted.includes(sign)).map((sign) => one(sign, "request")),
      ...numbered.slice(0, 1).map(({ hostname }) => one("link-numbers", "link", { host: hostname })),
      ...(BROKEN.test(text) ? [one("link-broken", "link")] : []),
      ...(isDisguised(text, characters) ? [one("disguised", "disguise")] : []),
      ...ordered.filter((sign) => tables.pressure.includes(sign)).map((sign) => one(sign, "pressure")),
    ];
  };
  let reasons: Why["reasons"];
  if (flagged || !sure) reasons = warnings();
  else {
    reasons = [one("reads-harmless", "whole")];
    if (points(text).length <= LONGEST) {
      // Of a text that is not read to its end nothing calming is said: it may come there.
      if (!tables.alarming.some((sign) => signs.has(sign))) reasons.push(one("asks-nothing", "calm"));
      const link = hasLink(text) || BROKEN.test(text) || new RegExp(tables.maybeLink, "iu").test(text);
      if (!link) reasons.push(one("no-link", "calm"));
    }
  }
  if (flagged && sure && reasons.length === 0) reasons = [one("reads-like-scams", "whole")];
  if (!sure) reasons = [one("close-call", "whole"), ...reasons];
  return { reasons: reasons.slice(0, MOST), advice: advice(said.scanType, flagged, sure, tables, reader) };
}

/** The ids of what a text asks for and presses with, in any language. */
export function signsOf(text: string, tables: ReasonTables, characters: Characters): Set<string> {
  const words = wordsOf(text, characters);
  const found = new Set<string>();
  for (const [sign, languages] of Object.entries(tables.signs))
    for (const [language, phrases] of Object.entries(languages)) {
      const back = new Set(tables.neverTakenBack.includes(sign) ? [] : (tables.takesBack[language] ?? []));
      if (found.has(sign)) break;
      if (phrases.some((phrase) => stands(stepsOf(phrase), words, back))) found.add(sign);
    }
  return found;
}

/** A text as plain words: folded, small, without accents; Arabic ones without the article and an "and". */
export function wordsOf(text: string, characters: Characters): string[] {
  const folded = lower(NORMALISERS[NORMALISER]!(points(text).slice(0, LONGEST), characters), characters);
  const plain: Points = [];
  for (const point of decomposed(folded, characters)) {
    const ending = ARABIC_ENDINGS.get(point);
    if (!within(point, ACCENTS) && ending !== null) plain.push(ending ?? point);
  }
  const words: string[] = [];
  let word: Points = [];
  const end = (): void => {
    if (word.length > 0) words.push(bare(String.fromCodePoint(...word)));
    word = [];
  };
  for (const point of plain) {
    if (point === LOW_LINE || characters.isAlphanumeric(point) || within(point, VOWELS)) word.push(point);
    else {
      end();
      if (CURRENCIES.has(point)) words.push(String.fromCodePoint(point));
    }
  }
  end();
  return words;
}

type Steps = { word: string; open: boolean; gap: number }[];
const parsed = new Map<string, Steps>();

function stepsOf(phrase: string): Steps {
  let steps = parsed.get(phrase);
  if (steps === undefined) {
    steps = phrase.split(" ").map((written) => {
      const gap = written.startsWith("+") ? GAP : 0;
      const word = written.slice(gap ? 1 : 0);
      return word.endsWith("*") ? { word: word.slice(0, -1), open: true, gap } : { word, open: false, gap };
    });
    parsed.set(phrase, steps);
  }
  return steps;
}

/** Whether a phrase stands somewhere, and is not taken back. */
function stands(steps: Steps, words: string[], back: Set<string>): boolean {
  const is = (word: string | undefined, step: Steps[number]): boolean => word !== undefined && (step.open ? word.startsWith(step.word) : word === step.word);
  for (let start = 0; start < words.length; start++) {
    if (!is(words[start], steps[0]!)) continue;
    let at = start;
    for (const step of steps.slice(1)) {
      let next = at + 1;
      while (next <= at + 1 + step.gap && !is(words[next], step)) next++;
      if (next > at + 1 + step.gap) {
        at = -1;
        break;
      }
      at = next;
    }
    if (at >= 0 && !words.slice(Math.max(0, start - BEFORE), at + 1).some((word) => back.has(word))) return true;
  }
  return false;
}

/** Words for the eye alone: the normaliser marks each word that it has undone. */
function isDisguised(text: string, characters: Characters): boolean {
  const read = points(text).slice(0, LONGEST);
  const marks = (all: Points): number => all.filter((point) => point === MARK).length;
  return marks(NORMALISERS[NORMALISER]!(read, characters)) > marks(read);
}

function advice(scanType: string, flagged: boolean, sure: boolean, tables: ReasonTables, reader: ReasonReader): Why["advice"] {
  const told = (id: string): string => say(tables, reader, id);
  if (!flagged) return { whatToDoNow: told(sure ? "now-harmless" : "now-unsure"), whoToTell: null };
  const place = placeOf(scanType, tables, reader);
  const report = place === null ? "" : say(tables, reader, "tell-place", { place });
  const now = scanType === "voice" ? "now-call" : "now-scam";
  return { whatToDoNow: told(sure ? now : "now-unsure"), whoToTell: `${told("tell")} ${report}`.trim() };
}

function placeOf(scanType: string, tables: ReasonTables, reader: ReasonReader): string | null {
  const place = tables.places[reader.country];
  if (place === undefined) return null;
  const told = [scanType === "text" ? place.sms : undefined, place.else].filter((each): each is string => each !== undefined);
  return told.map((each) => (RIGHT_TO_LEFT.has(reader.language) ? isolated(each) : each)).join(", ");
}

function say(tables: ReasonTables, reader: ReasonReader, id: string, parts: Record<string, string> = {}): string {
  const written = tables.sentences[id]!;
  const own = written[reader.language];
  const turned = own !== undefined && RIGHT_TO_LEFT.has(reader.language);
  return (own ?? written.en!).replace(/\{(\w+)\}/g, (_, name: string) => (turned ? isolated(parts[name] ?? "") : (parts[name] ?? "")));
}

/** A part between marks for a run whose direction follows from itself. */
function isolated(part: string): string {
  return `\u2068${part}\u2069`;
}

function within(point: number, ranges: [number, number][]): boolean {
  return ranges.some(([first, last]) => point >= first && point <= last);
}

function bare(word: string): string {
  if (!/^[\u0621-\u064a]/.test(word)) return word;
  let left = word;
  for (const prefix of ["\u0648", "\u0627\u0644"]) if (left.startsWith(prefix) && left.length >= prefix.length + 3) left = left.slice(prefix.length);
  return left;
}
