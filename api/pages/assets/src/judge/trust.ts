// Believes no byte before its signature or its digest holds: by the browser's own cryptography, and by a library where
// that is missing (plain http has none, and browsers learned Ed25519 one after the other until 2025).
import { hashes, verify as verifyHere } from "@noble/ed25519";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { KNOWN_FORMAT, type KnownStatement } from "./known";

hashes.sha512 = sha512;

/** Public keys by key id, base64 of their 32 bytes. Pinned: they came with the page, or with the app's build. */
export interface Pins {
  /** Who says which version is in force. */
  releases: Record<string, string>;
  /** Who may sign a version's package. */
  packages: Record<string, string>;
}

/** What was fetched is not what was signed, or was signed by nobody who counts. */
export class Untrusted extends Error {}

const RELEASE_CONTEXT = "antispam-shield: release for phones\n";
const KNOWN_CONTEXT = "antispam-shield: known scams for phones\n";

/** `GET /device/{scanType}/release`. */
export interface SignedRelease {
  statement: string;
  keyId: string;
  signature: string;
  packageSignature: string | null;
}

export interface Release {
  format: string;
  scanType: string;
  modelType: string;
  number: number;
  version: string;
  /** `sha256:` digest of the package's manifest. */
  package: string;
  judge: boolean;
  issuedAt: string;
}

export async function trustedRelease(signed: SignedRelease, scanType: string, pins: Pins): Promise<Release> {
  const message = new TextEncoder().encode(RELEASE_CONTEXT + signed.statement);
  await check(pins.releases, signed.keyId, signed.signature, message, "release");
  const release = JSON.parse(signed.statement) as Release;
  if (release.format !== "shield-release-1") throw new Untrusted(`The release has the format ${release.format}.`);
  if (release.scanType !== scanType) throw new Untrusted(`The release is for ${release.scanType}, not for ${scanType}.`);
  if (!Number.isSafeInteger(release.number)) throw new Untrusted("The release has no number.");
  return release;
}

/** `GET /device/{scanType}/known`. */
export interface SignedKnown {
  statement: string;
  keyId: string;
  signature: string;
}

export async function trustedKnown(signed: SignedKnown, scanType: string, pins: Pins): Promise<KnownStatement> {
  const message = new TextEncoder().encode(KNOWN_CONTEXT + signed.statement);
  await check(pins.releases, signed.keyId, signed.signature, message, "list of known scams");
  const known = JSON.parse(signed.statement) as KnownStatement;
  if (known.format !== KNOWN_FORMAT) throw new Untrusted(`The list of known scams has the format ${known.format}.`);
  if (known.scanType !== scanType) throw new Untrusted(`The list of known scams is for ${known.scanType}, not for ${scanType}.`);
  if (!Number.isSafeInteger(known.number)) throw new Untrusted("The list of known scams has no number.");
  return known;
}

/** Check a package's manifest against the release that names it and the signature of whoever trained it. */
export async function checkPackage(manifest: Uint8Array, release: Release, signature: string | null, pins: Pins): Promise<void> {
  await checkDigest(manifest, release.package.replace("sha256:", ""), "manifest.json");
  if (signature === null) throw new Untrusted("The package is not signed.");
  const said = JSON.parse(signature) as { keyId: string; signature: string; purpose?: string };
  if ((said.purpose ?? "release") !== "release") throw new Untrusted("The package is signed for the record alone.");
  await check(pins.packages, said.keyId, said.signature, manifest, "package");
}

export async function checkDigest(bytes: Uint8Array, expected: string | undefined, name: string): Promise<void> {
  const found = hex(globalThis.crypto?.subtle ? await crypto.subtle.digest("SHA-256", own(bytes)) : sha256(bytes));
  if (found !== expected) throw new Untrusted(`${name} hashes to ${found.slice(0, 12)}, and ${expected?.slice(0, 12)} is signed.`);
}

async function check(keys: Record<string, string>, id: string, signature: string, message: Uint8Array, what: string): Promise<void> {
  const key = Object.hasOwn(keys, id) ? keys[id] : undefined;
  if (key === undefined) throw new Untrusted(`The ${what} is signed by ${id}, whom this app does not know.`);
  let holds = false;
  try {
    holds = await verify(bytes(key), bytes(signature), message);
  } catch {
    // No key, or no signature: neither holds.
  }
  if (!holds) throw new Untrusted(`The signature of the ${what} does not hold.`);
}

async function verify(key: Uint8Array, signature: Uint8Array, message: Uint8Array): Promise<boolean> {
  let imported: CryptoKey | undefined;
  try {
    imported = await globalThis.crypto?.subtle?.importKey("raw", own(key), { name: "Ed25519" }, false, ["verify"]);
  } catch {
    // This browser does not know Ed25519.
  }
  if (imported === undefined) return verifyHere(signature, message, key);
  return crypto.subtle.verify({ name: "Ed25519" }, imported, own(signature), own(message));
}

/** A copy with a buffer of its own, which the browser's cryptography asks for. */
function own(view: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view);
}

function bytes(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
}

function hex(buffer: ArrayBuffer | Uint8Array): string {
  return [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
