// The judge on the device: the same code that `/app` judges by, copied from its sources by `python -m clients.build`.

export { counted, FEWEST, isEnough, lotsOf, NOTHING, tallied, type Answer, type Counts, type Tally } from "./generated/judge/counting";
export { matched, type KnownEntry, type KnownMatch, type KnownStatement } from "./generated/judge/known";
export { openJudge, type DeviceManifest, type Judge, type Judgement } from "./generated/judge/model";
export { Untrusted, type Pins, type Release, type SignedKnown, type SignedRelease } from "./generated/judge/trust";
export { EMPTY, followed, followedKnown, opened, type KeptJudge, type Network, type Shelf } from "./generated/judge/update";
