// How often the judge on the phone has spoken, for rates that have a denominator. No text leaves, and no single answer
// can be read off: answers are sent in lots of at least 20, and a quarter of them are drawn by lot.

import type { Waiting } from "../lib/sending";

export type Answer = "harmless" | "scam" | "unsure";
export type Counts = Record<Answer, number>;

/** As the server asks for it: `shield.wire.device`. */
export const FEWEST = 20;
export const KEPT_SHARE = 0.75;
const ANSWERS: Answer[] = ["harmless", "scam", "unsure"];

export const NOTHING: Counts = { harmless: 0, scam: 0, unsure: 0 };

/** The counts with one more answer: the true one, or one by lot. `draw` gives numbers in [0, 1). */
export function counted(counts: Counts, answer: Answer, draw: () => number = secureDraw): Counts {
  const said = draw() < KEPT_SHARE ? answer : ANSWERS[Math.floor(draw() * ANSWERS.length)]!;
  return { ...counts, [said]: counts[said] + 1 };
}

/** Answers of one version, counted. A full one is a lot that waits to be sent: it changes no more, so that its key counts it once. */
export interface Tally extends Waiting {
  scanType: string;
  version: string;
  counts: Counts;
}

/** The tally that one more answer makes: of the one that is being filled, or of a new one. It takes the place of the one with its key. */
export function tallied(
  tallies: readonly Tally[],
  { scanType, version, answer }: { scanType: string; version: string; answer: Answer },
  key: () => string,
  draw: () => number = secureDraw,
): Tally {
  const filling = tallies.find((each) => each.scanType === scanType && each.version === version && !isEnough(each.counts));
  const tally = filling ?? { scanType, version, key: key(), counts: NOTHING };
  return { ...tally, counts: counted(tally.counts, answer, draw) };
}

/** The tallies that are full, and wait to be sent. */
export function lotsOf(tallies: readonly Tally[]): Tally[] {
  return tallies.filter(({ counts }) => isEnough(counts));
}

export function isEnough(counts: Counts): boolean {
  return counts.harmless + counts.scam + counts.unsure >= FEWEST;
}

function secureDraw(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32;
}
