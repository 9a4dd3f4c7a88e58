// The judge itself: a text to a margin, a verdict and how sure it is, as shield/device/model.py computes them.
import { Characters, points, type Points, type Tables } from "./characters";
import { Reader } from "./features";
import { hasWords, NORMALISERS } from "./normalise";

/** `device.json`, as shield/device/package.py writes it. */
export interface DeviceManifest {
  format: string;
  modelType: string;
  /** Harmless, then scam. */
  labels: [string, string];
  normaliser: string;
  shortest: number;
  longest: number;
  words: number;
  bits: number;
  /** As in `Features`, and the log odds that a window costs; left out in the first format. */
  reach?: number;
  whole?: number;
  windowCost?: number;
  steps: number[];
  logOddsBias: number;
  scale: number;
  bias: number;
  sureHarmless: number;
  sureScam: number;
  files: Record<string, string>;
}

export interface Judgement {
  label: string;
  /** Whether the label is the second of the two. */
  scam: boolean;
  certainty: "sure" | "unsure";
  /** From 0.5, "it could be either", to 1. */
  confidence: number;
  /** Flagged from 0 on. */
  margin: number;
}

/** The first reads every text as a whole. */
export const FORMATS = ["shield-device-1", "shield-device-2"];
/** The margin of a text in which no letter and no digit is seen. */
export const NO_WORDS = -1e-6;

export class Judge {
  private readonly reader: Reader;
  private readonly normalise: (text: Points, characters: Characters) => Points;

  /** Throws a RangeError where this release cannot compute what the manifest asks for. */
  constructor(
    readonly manifest: DeviceManifest,
    weights: Int8Array,
    readonly characters: Characters,
  ) {
    const normaliser = NORMALISERS[manifest.normaliser];
    if (!FORMATS.includes(manifest.format) || normaliser === undefined)
      throw new RangeError(`This release cannot compute ${manifest.format} with ${manifest.normaliser}.`);
    const blocks = manifest.words > 0 ? 2 : 1;
    if (weights.length !== blocks << manifest.bits || manifest.steps.length !== blocks)
      throw new RangeError(`The judge has ${weights.length} weights for ${manifest.bits} bits.`);
    this.normalise = normaliser;
    this.reader = new Reader(manifest, weights, characters);
  }

  margin(text: string): number {
    const read = points(text);
    if (!hasWords(read, this.characters)) return NO_WORDS;
    const { scale, bias, steps, logOddsBias, windowCost = 0 } = this.manifest;
    const normalised = this.normalise(read, this.characters);
    const highest = this.reader.highest(normalised, windowCost, (sums) => {
      let logOdds = logOddsBias;
      sums.forEach(({ total, count }, block) => {
        if (count > 0) logOdds += (steps[block]! * total) / Math.sqrt(count);
      });
      return logOdds;
    });
    return scale * highest + bias;
  }

  judge(text: string): Judgement {
    const { sureHarmless, sureScam, labels } = this.manifest;
    return judged(this.margin(text), labels, { harmless: sureHarmless, scam: sureScam });
  }
}

/** The verdict of a margin, which is unsure within the band. */
export function judged(margin: number, labels: [string, string], band: { harmless: number; scam: number }): Judgement {
  const scam = margin >= 0;
  const unsure = (-band.harmless <= margin && margin <= band.scam) || Math.abs(margin) <= -2 * NO_WORDS;
  return {
    label: labels[scam ? 1 : 0],
    scam,
    certainty: unsure ? "unsure" : "sure",
    confidence: 1 / (1 + Math.exp(-Math.abs(margin))),
    margin,
  };
}

/** The judge in the files of a device package, whose digests were checked. Throws where they are no judge. */
export function openJudge(manifest: DeviceManifest, weights: Uint8Array, characters: Uint8Array): Judge {
  const tables = JSON.parse(new TextDecoder().decode(characters)) as Tables;
  return new Judge(manifest, tensor(weights), new Characters(tables));
}

/** The one tensor of a safetensors file. */
function tensor(file: Uint8Array): Int8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))) as {
    weights: { dtype: string; data_offsets: [number, number] };
  };
  const { dtype, data_offsets: place } = header.weights;
  if (dtype !== "I8") throw new RangeError(`Weights of ${dtype}.`);
  return new Int8Array(file.slice(8 + length).buffer, place[0], place[1] - place[0]);
}
