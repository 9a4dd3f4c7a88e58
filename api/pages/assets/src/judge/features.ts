// Which buckets occur in a text: hashed n-grams of characters and of words, as shield/linear.py makes them.
import type { Characters, Points } from "./characters";
import { lower } from "./unicode";

export interface Features {
  shortest: number;
  longest: number;
  bits: number;
  words: number;
  /** Characters of a window; 0 or left out: every text is read as a whole, and only so. */
  reach?: number;
  /** A text that is longer than this and than a window is read in windows alone. */
  whole?: number;
}

/** Of longer texts, the ends are read. */
const MOST_CHARACTERS = 20_000;
const [SPACE, ZERO, LOW_LINE] = [0x20, 0x30, 0x5f];
const [FACTOR_HIGH, FACTOR_LOW] = [0x9e3779b9, 0x7f4a7c15];
const [MIXER_HIGH, MIXER_LOW] = [0xbf58476d, 0x1ce4e5b9];

export interface BlockSum {
  total: number;
  count: number;
}

/** Adds up a weight for each bucket that a text has, each once; `count` says how many those are. */
class Sum implements BlockSum {
  total = 0;
  count = 0;
  constructor(
    private readonly weights: Int8Array | Float32Array,
    private readonly offset: number,
    private readonly marks: Uint32Array,
    private readonly round: number,
  ) {}

  add(bucket: number): void {
    if (this.marks[bucket] === this.round) return;
    this.marks[bucket] = this.round;
    this.total += this.weights[this.offset + bucket]!;
    this.count += 1;
  }
}

/** The sums that a margin is made of, for one text after another. Holds a scratch area: not to be shared by workers. */
export class Reader {
  private readonly marks: Uint32Array;
  private round = 0;

  constructor(
    private readonly features: Features,
    private readonly weights: Int8Array | Float32Array,
    private readonly characters: Characters,
  ) {
    this.marks = new Uint32Array(1 << features.bits);
  }

  /** What `said` gives for the whole of a normalised text, or for the window of which it says most, less `windowCost`. */
  highest(normalised: Points, windowCost: number, said: (sums: BlockSum[]) => number): number {
    const { whole, windows } = this.readings(normalised);
    let highest = whole ? said(this.sums(whole)) : -Infinity;
    for (const window of windows) highest = Math.max(highest, said(this.sums(window)) - windowCost);
    return highest;
  }

  /** What is read of a normalised text: all of it, windows that overlap by half (the last flush with the end), or both. */
  private readings(normalised: Points): { whole?: Points; windows: Points[] } {
    let text = normalised;
    if (text.length > MOST_CHARACTERS) text = [...text.slice(0, MOST_CHARACTERS / 2), ...text.slice(-MOST_CHARACTERS / 2)];
    const { reach = 0, whole = 0 } = this.features;
    if (reach === 0 || text.length <= reach) return { whole: text, windows: [] };
    const last = text.length - reach;
    const windows: Points[] = [];
    for (let start = 0; start < last; start += Math.max(1, reach >> 1)) windows.push(text.slice(start, start + reach));
    windows.push(text.slice(last));
    return text.length <= whole ? { whole: text, windows } : { windows };
  }

  /** Sums over the buckets of the characters, then of the words, of what is read. */
  private sums(text: Points): BlockSum[] {
    const { shortest, longest, words, bits } = this.features;
    const folded = lower(text, this.characters);
    const signs = this.sum(0);
    hashes([SPACE, ...folded, SPACE], bits, shortest, longest, 1, signs);
    const shouts = folded.length !== text.length || folded.some((point, at) => point !== text[at]);
    if (shouts) hashes([SPACE, ...text, SPACE], bits, shortest, longest, 2, signs);
    if (words === 0) return [signs];
    const spelled = this.sum(1 << bits);
    hashes(wordNumbers(folded, this.characters), bits, 1, words, 3, spelled);
    return [signs, spelled];
  }

  private sum(offset: number): Sum {
    this.round = (this.round + 1) >>> 0;
    if (this.round === 0) this.marks.fill(0), (this.round = 1);
    return new Sum(this.weights, offset, this.marks, this.round);
  }
}

/**
 * Add the bucket of every run of `shortest` to `longest` neighbours. Arithmetic modulo 2^64 in two halves of 32 bits:
 * a BigInt for each would take ten times as long.
 */
function hashes(numbers: number[], bits: number, shortest: number, longest: number, seed: number, sum: Sum): void {
  const size = numbers.length;
  const low = new Uint32Array(size).fill(seed);
  const high = new Uint32Array(size);
  for (let n = 1; n <= longest && n <= size; n++) {
    for (let at = 0; at + n <= size; at++) {
      const [h, l] = [high[at]!, low[at]!];
      // rolling * FACTOR + number + n
      const product = Math.imul(l, FACTOR_LOW) >>> 0;
      const plain = product + numbers[at + n - 1]! + n;
      const nextLow = plain >>> 0;
      const carry = plain >= 0x100000000 ? Math.floor(plain / 0x100000000) : 0;
      const nextHigh = (highOf(l, FACTOR_LOW) + Math.imul(h, FACTOR_LOW) + Math.imul(l, FACTOR_HIGH) + carry) >>> 0;
      low[at] = nextLow;
      high[at] = nextHigh;
      if (n < shortest) continue;
      // (rolling ^ rolling >> 29) * MIXER, of which the highest bits are taken
      const mixedLow = (nextLow ^ ((nextLow >>> 29) | (nextHigh << 3))) >>> 0;
      const mixedHigh = (nextHigh ^ (nextHigh >>> 29)) >>> 0;
      const top = (highOf(mixedLow, MIXER_LOW) + Math.imul(mixedHigh, MIXER_LOW) + Math.imul(mixedLow, MIXER_HIGH)) >>> 0;
      sum.add(top >>> (32 - bits));
    }
  }
}

/** The higher 32 bits of the product of two 32-bit numbers. */
function highOf(one: number, other: number): number {
  const [a, b, c, d] = [one >>> 16, one & 0xffff, other >>> 16, other & 0xffff];
  const middle = b * c + ((b * d) >>> 16);
  return a * c + Math.floor((a * d + middle) / 0x10000);
}

/** A number for each word and each mark between words, in order; a word's digits count as one digit. */
function wordNumbers(folded: Points, characters: Characters): number[] {
  const numbers: number[] = [];
  let crc = -1;
  let inWord = false;
  const end = (): void => {
    if (inWord) numbers.push(~crc >>> 0);
    crc = -1;
    inWord = false;
  };
  for (const sign of folded) {
    const point = characters.isDecimal(sign) ? ZERO : sign;
    if (point === LOW_LINE || characters.isAlphanumeric(point)) {
      crc = crcOf(point, crc);
      inWord = true;
      continue;
    }
    end();
    if (!characters.isSpace(point)) numbers.push(~crcOf(point, -1) >>> 0);
  }
  end();
  return numbers;
}

const CRC = new Int32Array(256).map((_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** Take one character, in UTF-8, into a CRC-32. */
export function crcOf(point: number, before: number): number {
  let crc = before;
  const take = (byte: number): void => {
    crc = CRC[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  };
  if (point >= 0xd800 && point <= 0xdfff) take(0x3f); // half a character has no UTF-8: a question mark, as in Python
  else if (point < 0x80) take(point);
  else {
    if (point < 0x800) take(0xc0 | (point >> 6));
    else {
      if (point < 0x10000) take(0xe0 | (point >> 12));
      else {
        take(0xf0 | (point >> 18));
        take(0x80 | ((point >> 12) & 0x3f));
      }
      take(0x80 | ((point >> 6) & 0x3f));
    }
    take(0x80 | (point & 0x3f));
  }
  return crc;
}
