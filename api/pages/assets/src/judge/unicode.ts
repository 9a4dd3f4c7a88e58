// Normalisation form KC and lower case, as Python computes them, over the tables that came with the judge.
// Source: Unicode 16, sections 3.11 (normalisation), 3.12 (Hangul), 3.13 (final sigma).
import type { Characters, Points } from "./characters";

const [S, L, V, T] = [0xac00, 0x1100, 0x1161, 0x11a7];
const [L_COUNT, V_COUNT, T_COUNT] = [19, 21, 28];
const SYLLABLES = L_COUNT * V_COUNT * T_COUNT;
const [CAPITAL_SIGMA, SIGMA, FINAL_SIGMA] = [0x3a3, 0x3c3, 0x3c2];

/** Compatibility decomposition, marks in order, then composed again. */
export function nfkc(text: Points, characters: Characters): Points {
  return composed(decomposed(text, characters), characters);
}

/** Compatibility decomposition (NFKD), marks in order. */
export function decomposed(text: Points, characters: Characters): Points {
  const out: Points = [];
  for (const point of text) {
    const syllable = point - S;
    if (syllable >= 0 && syllable < SYLLABLES) {
      out.push(L + Math.floor(syllable / (V_COUNT * T_COUNT)), V + Math.floor((syllable % (V_COUNT * T_COUNT)) / T_COUNT));
      if (syllable % T_COUNT > 0) out.push(T + (syllable % T_COUNT));
      continue;
    }
    const parts = characters.decompositions.get(point);
    if (parts === undefined) out.push(point);
    else out.push(...parts);
  }
  // Neighbouring marks in the order of their classes; equal ones stay as they are written.
  for (let at = 1; at < out.length; at++) {
    const rank = characters.rank(out[at]!);
    if (rank === 0) continue;
    for (let place = at; place > 0 && characters.rank(out[place - 1]!) > rank; place--)
      [out[place - 1], out[place]] = [out[place]!, out[place - 1]!];
  }
  return out;
}

function composed(text: Points, characters: Characters): Points {
  const out: Points = [];
  let starter = -1;
  /** Class of what stands last behind the starter; 0: nothing does. */
  let before = 0;
  for (const point of text) {
    const rank = characters.rank(point);
    if (starter >= 0 && (before < rank || out.length === starter + 1)) {
      const one = pair(out[starter]!, point, characters);
      if (one !== undefined) {
        out[starter] = one;
        continue;
      }
    }
    if (rank === 0) starter = out.length;
    before = rank;
    out.push(point);
  }
  return out;
}

function pair(first: number, second: number, characters: Characters): number | undefined {
  if (first >= L && first < L + L_COUNT && second >= V && second < V + V_COUNT)
    return S + ((first - L) * V_COUNT + (second - V)) * T_COUNT;
  const syllable = first - S;
  if (syllable >= 0 && syllable < SYLLABLES && syllable % T_COUNT === 0 && second > T && second < T + T_COUNT)
    return first + (second - T);
  return characters.composed(first, second);
}

/** `str.lower()`: a sigma at the end of a word has a form of its own. */
export function lower(text: Points, characters: Characters): Points {
  const out: Points = [];
  text.forEach((point, at) => {
    if (point === CAPITAL_SIGMA) out.push(endsWord(text, at, characters) ? FINAL_SIGMA : SIGMA);
    else {
      const small = characters.lower.get(point);
      if (small === undefined) out.push(point);
      else out.push(...small);
    }
  });
  return out;
}

function endsWord(text: Points, at: number, characters: Characters): boolean {
  let place = at - 1;
  while (place >= 0 && characters.isCaseIgnorable(text[place]!)) place--;
  if (place < 0 || !characters.isCased(text[place]!)) return false;
  place = at + 1;
  while (place < text.length && characters.isCaseIgnorable(text[place]!)) place++;
  return place === text.length || !characters.isCased(text[place]!);
}
