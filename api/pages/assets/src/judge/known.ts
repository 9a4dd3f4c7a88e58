// Known scams on the phone: what reviewers have decided answers copies here too, without a network and without a
// text that leaves. Sketches as shield/device/known.py makes them; nothing can be read from them.
import { points, type Characters, type Points } from "./characters";
import { crcOf } from "./features";
import { NORMALISERS } from "./normalise";
import { lower } from "./unicode";

/** One known scam. */
export interface KnownEntry {
  /** 16 numbers of 32 bits. */
  sketch: number[];
  /** Of the hosts that were decided on; empty: it had none. */
  hosts: number[];
  /** With another host it is a reason to hesitate. */
  anyHost: boolean;
  /** How many people had reported it. */
  reporters: number;
  /** The day of the decision, e.g. `2026-03-03`. */
  decidedOn: string;
}

/** What is signed: `GET /device/{scanType}/known`. */
export interface KnownStatement {
  format: string;
  scanType: string;
  /** Rises; whoever has seen a higher one keeps that. */
  number: number;
  /** Not believed after this moment. */
  until: string;
  normaliser: string;
  salt: number;
  entries: KnownEntry[];
}

export interface KnownMatch {
  entry: KnownEntry;
  /** `confirmed`: it is that scam. `checking`: its words with another link. */
  standing: "confirmed" | "checking";
}

export const KNOWN_FORMAT = "shield-known-1";
const [BANDS, ROWS, AGREE, FEWEST] = [16, 3, 4, 5];
const [LONGEST, NGRAM, STEP] = [5000, 2, 0x9e3779b9];
const [SPACE, ZERO, LOW_LINE] = [0x20, 0x30, 0x5f];
const ADDRESS = /:\/\/|@|^www\.|\..*\//s;
const LETTER = "\\p{L}\\p{N}_";
const WORD = `${LETTER}-`;
const LINK = new RegExp(
  `(?:https?://|(?<![${WORD}])www\\.)[^\\s<>"']+|(?<![${WORD}])(?<![${WORD}]\\.)(?:[${WORD}]+\\.)+(?:xn--[${WORD}]+|\\p{L}{2,})(?::\\d{1,5})?/[^\\s<>"']*`,
  "giu",
);
const MAIL = new RegExp(`(?<![${LETTER}.+-])[${LETTER}.+-]+@((?:[${WORD}]+\\.)+[${WORD}]+)`, "gu");

/** The known campaign that a message is a copy of, or null. */
export function matched(known: KnownStatement, text: string, characters: Characters): KnownMatch | null {
  const normalise = NORMALISERS[known.normaliser];
  if (normalise === undefined) return null;
  const folded = lower(normalise(points(text).slice(0, LONGEST), characters), characters);
  const sketch = sketchOf(folded, known.salt, characters);
  if (sketch === null) return null;
  const close = known.entries.filter((entry) => agreement(entry.sketch, sketch) >= AGREE);
  if (close.length === 0) return null;
  const told = hostsOf(text.slice(0, 2 * LONGEST).toLowerCase());
  const hosts = (told.length > 0 ? told : hostsOf(String.fromCodePoint(...folded))).map((names) => names.map((name) => hostNumber(name, known.salt)));
  const confirmed = close.find((entry) => sameHosts(entry.hosts, hosts));
  if (confirmed) return { entry: confirmed, standing: "confirmed" };
  const elsewhere = close.find((entry) => entry.anyHost);
  return elsewhere ? { entry: elsewhere, standing: "checking" } : null;
}

/** The sketch of a normalised text in small letters; null: too few words. */
export function sketchOf(folded: Points, salt: number, characters: Characters): number[] | null {
  const words = wordsOf(folded, characters);
  if (words.length < FEWEST) return null;
  const grams = new Set<number>();
  const rolling = new Int32Array(words.length);
  for (let n = 1; n <= NGRAM; n++)
    for (let at = 0; at + n <= words.length; at++) {
      rolling[at] = mixed(rolling[at]! ^ words[at + n - 1]!);
      grams.add(rolling[at]!);
    }
  const sketch: number[] = [];
  for (let band = 0; band < BANDS; band++) {
    let hash = 0;
    for (let row = 0; row < ROWS; row++) {
      const seed = mixed(Math.imul(band * ROWS + row + 1, STEP) ^ salt);
      let least = 0xffffffff;
      for (const gram of grams) {
        const value = mixed(gram ^ seed) >>> 0;
        if (value < least) least = value;
      }
      hash = mixed(hash ^ least);
    }
    sketch.push(hash >>> 0);
  }
  return sketch;
}

/** Of each link and mail address the names that its host may be known by: itself, what it lies below, and its whole path. */
export function hostsOf(text: string): string[][] {
  const mails = [...text.matchAll(MAIL)].flatMap((found) => addressOf(found[1]!));
  return [...mails, ...linksOf(text)].map(({ hostname, pathname }) => {
    const labels = hostname.replace(/\.$/, "").split(".");
    const names = labels.slice(0, -1).map((_, at) => labels.slice(at).join("."));
    return [...names, hostname + pathname.replace(/\/+$/, "")];
  });
}

/** The links of a text, written with a scheme, with `www.`, or as a host with a path. */
export function linksOf(text: string): URL[] {
  return [...text.replace(MAIL, " ").matchAll(LINK)].flatMap((found) => addressOf(found[0].replace(/[.,;:!?)]+$/, "")));
}

export function hasLink(text: string): boolean {
  return text.search(LINK) >= 0;
}

function addressOf(written: string): URL[] {
  try {
    return [new URL(written.includes("://") ? written : `http://${written}`)];
  } catch {
    return [];
  }
}

export function hostNumber(host: string, salt: number): number {
  let crc = -1;
  for (const point of points(host)) crc = crcOf(point, crc);
  return mixed(~crc ^ salt) >>> 0;
}

function sameHosts(decided: number[], hosts: number[][]): boolean {
  return hosts.every((names) => names.some((name) => decided.includes(name))) && decided.every((one) => hosts.some((names) => names.includes(one)));
}

function agreement(one: number[], other: number[]): number {
  let equal = 0;
  for (let band = 0; band < BANDS; band++) if (one[band] === other[band]) equal += 1;
  return equal;
}

/** A number for each word; digits count as one digit, and words of digits alone and addresses not at all. */
function wordsOf(folded: Points, characters: Characters): number[] {
  const words: number[] = [];
  for (const piece of pieces(folded)) {
    let crc = -1;
    let letters = false;
    const end = (): void => {
      if (letters) words.push(~crc);
      crc = -1;
      letters = false;
    };
    for (const sign of piece) {
      const point = characters.isDecimal(sign) ? ZERO : sign;
      if (point === LOW_LINE || characters.isAlphanumeric(point)) {
        crc = crcOf(point, crc);
        letters ||= point !== ZERO;
      } else end();
    }
    end();
  }
  return words;
}

/** What stands between spaces, without addresses. */
function* pieces(folded: Points): Generator<Points> {
  for (let start = 0, at = 0; at <= folded.length; at++) {
    if (at < folded.length && folded[at] !== SPACE) continue;
    const piece = folded.slice(start, at);
    start = at + 1;
    if (!ADDRESS.test(String.fromCodePoint(...piece))) yield piece;
  }
}

function mixed(number: number): number {
  let x = number | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}
