// Follows the release in force: fetch, check everything, then change, in this order and whole. Whatever fails, the judge
// that is here stays. Knows no browser storage and no network by name: both are given.
import { openJudge, type DeviceManifest, type Judge } from "./model";
import type { KnownStatement } from "./known";
import { checkDigest, checkPackage, trustedKnown, trustedRelease, Untrusted, type Pins, type Release, type SignedKnown, type SignedRelease } from "./trust";

/** A judge as it is kept: the bytes that were checked. */
export interface KeptJudge {
  release: Release;
  manifest: DeviceManifest;
  weights: Uint8Array;
  characters: Uint8Array;
}

/** What a phone remembers of one scan type. */
export interface Shelf {
  /** The highest number that was ever believed; an older one never is again. */
  number: number;
  current: KeptJudge | null;
  /** The one before, so that an undo needs no download. */
  former: KeptJudge | null;
}

export interface Network {
  release(scanType: string): Promise<SignedRelease>;
  file(scanType: string, digest: string, name: string): Promise<Uint8Array>;
}

export const EMPTY: Shelf = { number: 0, current: null, former: null };

/** Return what the phone should keep from now on; the same object if nothing has changed. Throws, and nothing changes. */
export async function followed(shelf: Shelf, scanType: string, network: Network, pins: Pins): Promise<Shelf> {
  const signed = await network.release(scanType);
  const release = await trustedRelease(signed, scanType, pins);
  if (release.number < shelf.number)
    throw new Untrusted(`The release has the number ${release.number}, and ${shelf.number} was in force already.`);
  if (release.number === shelf.number) {
    if (shelf.current !== null && shelf.current.release.package !== release.package)
      throw new Untrusted(`Two releases have the number ${release.number}.`);
    if (shelf.current !== null || !release.judge) return shelf;
  }
  if (!release.judge) return { number: release.number, current: null, former: shelf.current ?? shelf.former };
  const here = [shelf.current, shelf.former].find((each) => each?.release.package === release.package);
  const next = here ? { ...here, release } : await fetched(release, signed, scanType, network, pins);
  opened(next);
  const former = shelf.current && shelf.current.release.package !== release.package ? shelf.current : shelf.former;
  return { number: release.number, current: next, former: former === here ? null : (former ?? null) };
}

/** The known scams to keep from now on: those that were fetched, unless the ones that are here are newer. Throws, and nothing changes. */
export async function followedKnown(here: KnownStatement | null, signed: SignedKnown, scanType: string, pins: Pins): Promise<KnownStatement> {
  const known = await trustedKnown(signed, scanType, pins);
  return here !== null && here.number >= known.number ? here : known;
}

/** The judge of what was kept. Throws where this release of the app cannot compute it. */
export function opened(kept: KeptJudge): Judge {
  const judge = openJudge(kept.manifest, kept.weights, kept.characters);
  if (!Number.isFinite(judge.margin("Hello, is it you?"))) throw new RangeError("The judge gives no number.");
  return judge;
}

async function fetched(release: Release, signed: SignedRelease, scanType: string, network: Network, pins: Pins): Promise<KeptJudge> {
  const digest = release.package.replace("sha256:", "");
  const raw = await network.file(scanType, digest, "manifest.json");
  await checkPackage(raw, release, signed.packageSignature, pins);
  const { files, modelType } = JSON.parse(new TextDecoder().decode(raw)) as { files: Record<string, string>; modelType: string };
  const [device, weights, characters] = await Promise.all(
    ["device.json", "device.safetensors", "characters.json"].map(async (name) => {
      const file = await network.file(scanType, digest, name);
      await checkDigest(file, files[name], name);
      return file;
    }),
  );
  const manifest = JSON.parse(new TextDecoder().decode(device)) as DeviceManifest;
  if (modelType !== release.modelType || manifest.modelType !== modelType) throw new Untrusted(`The package is for ${modelType} messages.`);
  return { release, manifest, weights: weights!, characters: characters! };
}
