// What Unicode says of characters, by the tables that came with the judge. Nothing here asks the engine's own
// Unicode: browsers differ in it, and a model must read what it has learned to read.

const ALPHANUMERIC = 1;
const ALPHABETIC = 2;
const DECIMAL = 4;
const LOWERCASE = 8;
const UPPERCASE = 16;
const TITLECASE = 32;
const CASED = 64;
const CASE_IGNORABLE = 128;
const SPACE = 256;
const INVISIBLE = 512;
const BLANK = 1024;
const FIGURE = 2048;
const OVERLAY = 4096;

/** `characters.json`, as `shield/device/tables.py` writes it. */
export interface Tables {
  unicode: string;
  topLevelNames: string[];
  decompositions: number[];
  combining: number[];
  compositions: number[];
  lower: number[];
  drawn: number[];
  lookAlikes: number[];
  [property: string]: number[] | string | string[];
}

const PROPERTIES: [string, number][] = [
  ["alphanumeric", ALPHANUMERIC],
  ["alphabetic", ALPHABETIC],
  ["decimal", DECIMAL],
  ["lowercase", LOWERCASE],
  ["uppercase", UPPERCASE],
  ["titlecase", TITLECASE],
  ["cased", CASED],
  ["caseIgnorable", CASE_IGNORABLE],
  ["space", SPACE],
  ["invisible", INVISIBLE],
  ["blanks", BLANK],
  ["figures", FIGURE],
  ["overlays", OVERLAY],
];

const PLANE_END = 0x110000;
/** Two code points of a pair as one number: both have 21 bits, and 42 are exact. */
const SHIFT = 0x200000;

/** A text as code points; what a JavaScript string counts are halves of some of them. */
export type Points = number[];

export class Characters {
  private readonly flags = new Uint16Array(PLANE_END);
  private readonly classes = new Map<number, number>();
  private readonly pairs = new Map<number, number>();
  readonly decompositions: Map<number, Points>;
  readonly lower: Map<number, Points>;
  /** Letters for drawn letters, words for emoji that are words. */
  readonly drawn: Map<number, Points>;
  readonly lookAlikes: Map<number, Points>;
  readonly topLevelNames: Set<string>;

  constructor(tables: Tables) {
    for (const [name, flag] of PROPERTIES) this.mark(numbers(tables, name), flag);
    this.decompositions = mapped(numbers(tables, "decompositions"));
    this.lower = mapped(numbers(tables, "lower"));
    this.drawn = mapped(numbers(tables, "drawn"));
    this.lookAlikes = mapped(numbers(tables, "lookAlikes"));
    this.topLevelNames = new Set(tables.topLevelNames);
    const ranks = numbers(tables, "combining");
    for (let at = 0, point = 0; at < ranks.length; at += 2) {
      point += ranks[at]!;
      this.classes.set(point, ranks[at + 1]!);
    }
    const pairs = numbers(tables, "compositions");
    for (let at = 0; at < pairs.length; at += 3) this.pairs.set(pairs[at]! * SHIFT + pairs[at + 1]!, pairs[at + 2]!);
  }

  private mark(ranges: number[], flag: number): void {
    let end = 0;
    for (let at = 0; at < ranges.length; at += 2) {
      const start = end + ranges[at]!;
      end = start + ranges[at + 1]!;
      for (let point = start; point < end; point++) this.flags[point]! |= flag;
    }
  }

  private has(point: number, flag: number): boolean {
    return (this.flags[point]! & flag) !== 0;
  }

  isAlphanumeric = (point: number): boolean => this.has(point, ALPHANUMERIC);
  isAlphabetic = (point: number): boolean => this.has(point, ALPHABETIC);
  isDecimal = (point: number): boolean => this.has(point, DECIMAL);
  isLowercase = (point: number): boolean => this.has(point, LOWERCASE);
  isUppercase = (point: number): boolean => this.has(point, UPPERCASE);
  isTitlecase = (point: number): boolean => this.has(point, TITLECASE);
  isCased = (point: number): boolean => this.has(point, CASED);
  isCaseIgnorable = (point: number): boolean => this.has(point, CASE_IGNORABLE);
  isSpace = (point: number): boolean => this.has(point, SPACE);
  isInvisible = (point: number): boolean => this.has(point, INVISIBLE);
  isBlank = (point: number): boolean => this.has(point, BLANK);
  isFigure = (point: number): boolean => this.has(point, FIGURE);
  isOverlay = (point: number): boolean => this.has(point, OVERLAY);
  /** Part of a word: a letter, a digit, or the low line. */
  isWord = (point: number): boolean => point === 0x5f || this.has(point, ALPHANUMERIC);

  /** The canonical combining class; 0: a base. */
  rank(point: number): number {
    return this.classes.get(point) ?? 0;
  }

  /** What two characters compose to, or undefined. */
  composed(first: number, second: number): number | undefined {
    return this.pairs.get(first * SHIFT + second);
  }
}

function numbers(tables: Tables, name: string): number[] {
  const found = tables[name];
  if (!Array.isArray(found)) throw new TypeError(`characters.json has no ${name}`);
  return found as number[];
}

function mapped(flat: number[]): Map<number, Points> {
  const map = new Map<number, Points>();
  for (let at = 0, point = 0; at < flat.length; ) {
    point += flat[at]!;
    const length = flat[at + 1]!;
    map.set(point, flat.slice(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return map;
}

/** The code points of a string; a half of a character stands for itself. */
export function points(text: string): Points {
  const found: Points = [];
  for (let at = 0; at < text.length; at++) {
    const point = text.codePointAt(at)!;
    if (point > 0xffff) at++;
    found.push(point);
  }
  return found;
}

export function isAscii(text: Points): boolean {
  return text.every((point) => point < 0x80);
}
