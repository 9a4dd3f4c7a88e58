// The linear half of a package, in its own precision: what the server computes beside the encoder (shield/linear.py).
import type { Characters, Points } from "./characters";
import { Reader, type Features } from "./features";

const FORMATS = ["shield-linear-1", "shield-linear-2", "shield-linear-3"];

export class LinearHalf {
  constructor(
    readonly normaliser: string,
    private readonly reader: Reader,
    private readonly bias: number,
    private readonly windowCost: number,
  ) {}

  /** Log odds of the scam class for a text as its normaliser leaves it. */
  logOdds(normalised: Points): number {
    return this.reader.highest(normalised, this.windowCost, (sums) => {
      let logOdds = this.bias;
      for (const { total, count } of sums) if (count > 0) logOdds += total / Math.sqrt(count);
      return logOdds;
    });
  }
}

/** The linear model in a file `linear.safetensors`. Throws a RangeError where this release cannot compute it. */
export function openLinear(file: Uint8Array, characters: Characters): LinearHalf {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))) as {
    __metadata__: Record<string, string>;
    weights: { dtype: string; data_offsets: [number, number] };
  };
  const { __metadata__: about, weights: tensor } = header;
  const format = FORMATS.indexOf(about.format ?? "");
  if (format < 0 || tensor.dtype !== "F16") throw new RangeError(`This release cannot compute ${about.format} with weights of ${tensor.dtype}.`);
  const number = (name: string): number => Number(about[name]);
  const features: Features = { shortest: number("shortest"), longest: number("longest"), bits: number("bits"), words: format < 1 ? 0 : number("words") };
  if (format === 2) Object.assign(features, { reach: number("reach"), whole: number("whole") });
  const [start, end] = tensor.data_offsets;
  const weights = halves(new DataView(view.buffer, view.byteOffset + 8 + length + start, end - start));
  const blocks = features.words > 0 ? 2 : 1;
  if (weights.length !== blocks << features.bits) throw new RangeError(`The linear half has ${weights.length} weights for ${features.bits} bits.`);
  const windowCost = format === 2 ? number("window_cost") : 0;
  return new LinearHalf(about.normaliser ?? "", new Reader(features, weights, characters), number("bias"), windowCost);
}

/** Numbers of two bytes each (IEEE 754 binary16), which browsers have only just learned to read. */
function halves(view: DataView): Float32Array {
  return new Float32Array(view.byteLength / 2).map((_, at) => {
    const bits = view.getUint16(2 * at, true);
    const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
    const size = exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? (fraction ? NaN : Infinity) : (1 + fraction / 1024) * 2 ** (exponent - 15);
    return bits & 0x8000 ? -size : size;
  });
}
