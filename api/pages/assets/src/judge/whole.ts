// The whole predictor of a version, as the server computes it (shield/predictor.py, shield/encoder.py): the encoder over
// windows of tokens, the linear half beside it, and one margin of both. Who runs the encoder is given.
import { Tokenizer } from "@huggingface/tokenizers";
import { Characters, points, type Tables } from "./characters";
import { openLinear, type LinearHalf } from "./linear";
import { judged, NO_WORDS, type Judgement } from "./model";
import { hasWords, NORMALISERS } from "./normalise";

/** `manifest.json` of a package, as shield/packages/manifest.py writes it. */
export interface PackageManifest {
  formatVersion: number;
  labels: [string, string];
  /** Of the first format: the encoder's probability that the operating point lies at. */
  threshold: number;
  margin: { encoder: number; linear: number; bias: number } | null;
  band: { harmless: number; scam: number } | null;
  preprocessing: { normaliser: string; maxTokens: number; windowOverlap: number; maxWindows: number; aggregation: "max" | "mean" };
  files: Record<string, string>;
}

/** The files of a package that the predictor reads, whose digests were checked. */
export interface Content {
  manifest: PackageManifest;
  tokenizer: Uint8Array;
  /** Left out where the package has no linear half. */
  linear?: Uint8Array;
  samples: Uint8Array;
  /** `characters.json`. */
  characters: Uint8Array;
}

/** Runs the encoder: token ids of one window, special tokens included, to log odds of the scam class. */
export type Scorer = (row: number[]) => Promise<number>;

const NEWEST_FORMAT = 4;
/** Log odds of a confidence of .9: the band of packages without one. */
const WITHOUT_PROOF = Math.log(9);
/** How far a sample's probability may be from what the package's makers measured. */
const SAMPLE_TOLERANCE = 0.05;

export class Whole {
  private constructor(
    private readonly manifest: PackageManifest,
    private readonly tokenizer: Tokenizer,
    private readonly around: [before: number[], after: number[]],
    private readonly linear: LinearHalf | null,
    private readonly characters: Characters,
    private readonly score: Scorer,
  ) {}

  /** Open a package, and ask it its samples. Throws a RangeError where this release or this device computes something else. */
  static async open({ manifest, tokenizer: file, linear, samples, characters: tables }: Content, score: Scorer): Promise<Whole> {
    if (manifest.formatVersion > NEWEST_FORMAT) throw new RangeError(`This release cannot read packages of format ${manifest.formatVersion}.`);
    const characters = new Characters(read<Tables>(tables));
    const half = linear ? openLinear(linear, characters) : null;
    for (const normaliser of [manifest.preprocessing.normaliser, half?.normaliser])
      if (normaliser !== undefined && !(normaliser in NORMALISERS)) throw new RangeError(`This release cannot compute ${normaliser}.`);
    const tokenizer = new Tokenizer(read<object>(file), {});
    const whole = new Whole(manifest, tokenizer, specialTokens(tokenizer), half, characters, score);
    await whole.check(read<{ samples: { text: string; probability: { int8: number } }[] }>(samples).samples);
    return whole;
  }

  async judge(text: string): Promise<Judgement> {
    const { labels, band } = this.manifest;
    return judged(await this.margin(text), labels, band ?? { harmless: WITHOUT_PROOF, scam: WITHOUT_PROOF });
  }

  /** The margin of a text, flagged from 0 on. */
  async margin(text: string): Promise<number> {
    const signs = points(text);
    if (!hasWords(signs, this.characters)) return NO_WORDS;
    const { threshold, margin } = this.manifest;
    const { encoder, linear, bias } = margin ?? { encoder: 1, linear: 0, bias: -Math.log(threshold / (1 - threshold)) };
    const beside = this.linear === null || linear === 0 ? 0 : this.linear.logOdds(NORMALISERS[this.linear.normaliser]!(signs, this.characters));
    return encoder * (await this.encoded(text)) + linear * beside + bias;
  }

  /** Token ids of each window of a text, at least one. */
  rows(text: string): number[][] {
    const { normaliser, maxTokens, windowOverlap, maxWindows } = this.manifest.preprocessing;
    const normalised = NORMALISERS[normaliser]!(points(text), this.characters).map((point) => String.fromCodePoint(point)).join("");
    const { ids } = this.tokenizer.encode(normalised, { add_special_tokens: false });
    const [before, after] = this.around;
    return spans(ids.length, maxTokens - 2, windowOverlap, maxWindows).map(([start, stop]) => [...before, ...ids.slice(start, stop), ...after]);
  }

  /** The encoder's log odds of a text. */
  private async encoded(text: string): Promise<number> {
    const scores: number[] = [];
    // One after the other: rows that share a call of an int8 model change each other's answer.
    for (const row of this.rows(text)) scores.push(await this.score(row));
    if (scores.some(Number.isNaN)) throw new RangeError("The encoder gives no number.");
    if (this.manifest.preprocessing.aggregation === "max" || scores.length === 1) return Math.max(...scores);
    const mean = scores.reduce((sum, score) => sum + probability(score), 0) / scores.length;
    const kept = Math.min(Math.max(mean, 1e-12), 1 - 1e-12);
    return Math.log(kept / (1 - kept));
  }

  private async check(samples: { text: string; probability: { int8: number } }[]): Promise<void> {
    for (const sample of samples) {
      const off = Math.abs(probability(await this.encoded(sample.text)) - sample.probability.int8);
      if (!(off <= SAMPLE_TOLERANCE)) throw new RangeError(`The encoder is off by ${off.toFixed(4)} on its own samples.`);
    }
    if (samples.length === 0) throw new RangeError("The encoder has no samples.");
  }
}

/** The windows of a text of so many tokens, as shield/encoder.py cuts them. */
function spans(tokens: number, size: number, overlap: number, most: number): [start: number, stop: number][] {
  if (tokens <= size) return [[0, tokens]];
  let starts: number[] = [];
  for (let start = 0; start < tokens - size; start += size - overlap) starts.push(start);
  starts.push(tokens - size);
  if (starts.length > most) {
    const step = most > 1 ? (starts.length - 1) / (most - 1) : 0;
    starts = Array.from({ length: most }, (_, index) => starts[index > 0 && index === most - 1 ? starts.length - 1 : roundedToEven(index * step)]!);
  }
  return starts.map((start) => [start, start + size]);
}

/** As numpy rounds: a half goes to the even neighbour. */
function roundedToEven(number: number): number {
  const below = Math.floor(number);
  return number - below === 0.5 ? below + (below % 2) : Math.round(number);
}

/** Token ids that go before and after a window, e.g. those of [CLS] and [SEP]. */
function specialTokens(tokenizer: Tokenizer): [number[], number[]] {
  const [mark, whole] = [tokenizer.encode("a", { add_special_tokens: false }).ids, tokenizer.encode("a").ids];
  const place = whole.indexOf(mark[0]!);
  if (mark.length !== 1 || place < 0 || whole.length !== 3) throw new RangeError("One special token before and one after are needed.");
  return [whole.slice(0, place), whole.slice(place + 1)];
}

function probability(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}

function read<Kind>(file: Uint8Array): Kind {
  return JSON.parse(new TextDecoder().decode(file)) as Kind;
}
