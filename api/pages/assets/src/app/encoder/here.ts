// The encoder on this phone, for who wants it: what it takes, loading and removing it, and asking it. Its code and its
// files are fetched when somebody asks for them, and each file is held against the signed manifest before it is used.
import type { Judgement } from "../../judge/model";
import { readShelf } from "../../judge/shelf";
import { checkDigest, Untrusted } from "../../judge/trust";
import type { KeptJudge } from "../../judge/update";
import type { PackageManifest } from "../../judge/whole";
import { trusted } from "../../lib/dom";
import { exclusively } from "../../lib/features";
import { DOWNLOADS, ENCODERS, forget, missing, obtain, unpacked, type Part } from "../downloads";
import { SCAN_TYPES } from "../../lib/scan-types";
import { token } from "../store";
import { call, type ScanType } from "../wire";
import { remember, remembered } from "../words";
import type { Answer, Given, Question } from "./given";

/** The runtime, as the build made it. */
declare const ENCODER: { worker: Part; engine: Part };

const WANTED = "antispam-shield-encoder";
const MANIFEST = "manifest.json";
/** A worker that nobody asks is ended: it takes some hundred megabytes of memory. */
const IDLE_MILLISECONDS = 120_000;

/** Where a download stands. `arrived` is told of each piece. */
export interface Progress {
  arrived(bytes: number): void;
  signal: AbortSignal;
}

/** This phone cannot keep or compute it. */
export class Unable extends Error {}

/** The scan types for which the owner of this phone wants it. */
export function wanted(): ScanType[] {
  return remembered(WANTED).split(" ").filter((name): name is ScanType => name in SCAN_TYPES);
}

export function want(scanType: ScanType, is: boolean): void {
  const others = wanted().filter((each) => each !== scanType);
  remember(WANTED, (is ? [...others, scanType] : others).join(" "));
}

/** Whether a download costs money here, as far as the browser tells. */
export function metered(): boolean {
  const { connection } = navigator as Navigator & { connection?: { saveData?: boolean; type?: string } };
  return connection?.saveData === true || connection?.type === "cellular";
}

/** Whether the one in force is here, and has failed since the page was opened. */
export async function fails(scanType: ScanType): Promise<boolean> {
  const { current } = await readShelf(scanType);
  return current !== null && broken.has(current.release.package);
}

/** What is still to be loaded for a scan type, in bytes; 0: it is on this phone; null: there is no encoder for it. */
export async function size(scanType: ScanType): Promise<number | null> {
  const { current } = await readShelf(scanType);
  if (current === null) return null;
  const parts = await partsOf(scanType, current);
  if (parts === null) return null;
  const [runtime, files] = await Promise.all([missing([ENCODER.worker, ENCODER.engine]), missing(parts, ENCODERS)]);
  return [...runtime, ...files].reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
}

/** Load what is missing for a scan type. Rejects when it cannot be had, is not what was signed, or does not work here; what is here stays. */
export async function load(scanType: ScanType, progress: Progress): Promise<void> {
  await exclusively("antispam-shield-encoder", async () => {
    const { current } = await readShelf(scanType);
    const parts = current && (await partsOf(scanType, current));
    if (!current || !parts) throw new Error(`There is no encoder for ${scanType} messages.`);
    for (const part of [ENCODER.worker, ENCODER.engine]) await obtain(part, progress);
    await contentOf(scanType, current, parts, progress);
    // From now on without asking the server what there is.
    await keepList(scanType, current, parts);
    end(scanType);
    broken.delete(current.release.package);
    try {
      // What a phone cannot keep or compute is told now, and not at the first message.
      if ((await running(scanType, current.release.package)) === null) throw new Error("It cannot be kept.");
    } catch (error) {
      await forget(ENCODERS, (path) => path.includes(digestOf(current)));
      throw new Unable("The encoder does not work on this phone.", { cause: error });
    } finally {
      end(scanType);
    }
  });
}

/** Remove it from this phone. */
export async function remove(scanType: ScanType): Promise<void> {
  want(scanType, false);
  end(scanType);
  await forget(ENCODERS, (path) => path.startsWith(`/api/v2/device/${scanType}/`));
  if (wanted().length === 0) await forget(DOWNLOADS, (path) => [ENCODER.worker.url, ENCODER.engine.url].includes(path));
}

/** With a new version in force: load what the owner wants, unless it costs money, and drop what no version here names. */
export async function followEncoders(): Promise<void> {
  for (const scanType of wanted()) {
    const shelf = await readShelf(scanType);
    const named = [shelf.current, shelf.former].map((kept) => kept && digestOf(kept));
    await forget(ENCODERS, (path) => path.startsWith(`/api/v2/device/${scanType}/`) && !named.some((digest) => digest && path.includes(digest)));
    try {
      if (!metered() && (await size(scanType))) await load(scanType, { arrived: () => undefined, signal: new AbortController().signal });
    } catch {
      // Offline, or nothing to be trusted: the judge goes on, and the next look tries again.
    }
  }
}

/** What the whole predictor of the version in force says; null: it is not wanted, not here, or does not work here. */
export async function judgeWhole(text: string, scanType: ScanType, digest: string): Promise<Judgement | null> {
  if (!wanted().includes(scanType) || broken.has(digest)) return null;
  // Whoever loads a version ends what runs, which is no fault of it: then once more.
  for (const last of [false, true]) {
    try {
      const asked = await running(scanType, digest);
      return asked && (await asked.judge(text));
    } catch (error) {
      if (error instanceof Ended && !last) continue;
      end(scanType);
      // Too little memory, most likely: not tried again with each message.
      if (!(error instanceof Ended)) broken.add(digest);
      return null;
    }
  }
  return null;
}

// ---- What it takes ------------------------------------------------------------------------------------------------

const digestOf = (kept: KeptJudge): string => kept.release.package.replace("sha256:", "");
const listUrl = (scanType: ScanType, kept: KeptJudge): string => `/api/v2/device/${scanType}/encoder/${digestOf(kept)}`;

/** The files of a version's encoder: as they were loaded, else as the server says; null: it offers none. */
async function partsOf(scanType: ScanType, kept: KeptJudge): Promise<Part[] | null> {
  const url = listUrl(scanType, kept);
  const here = await (await cache())?.match(url);
  if (here) return (await here.json()) as Part[];
  const { files } = await call<{ files: { name: string; bytes: number }[] }>((await token.read()) ?? "", "GET", url.replace("/api/v2", ""));
  return files.length > 0 ? files.map(({ name, bytes }) => ({ url: `${url}/${name}`, bytes })) : null;
}

async function keepList(scanType: ScanType, kept: KeptJudge, parts: Part[]): Promise<void> {
  await (await cache())?.put(listUrl(scanType, kept), new Response(JSON.stringify(parts))).catch(() => undefined);
}

async function cache(): Promise<Cache | undefined> {
  return "caches" in globalThis ? caches.open(ENCODERS).catch(() => undefined) : undefined;
}

/** The manifest and the files of a version's encoder, each held against what was signed. */
async function contentOf(scanType: ScanType, kept: KeptJudge, parts: Part[], progress: Progress): Promise<{ manifest: PackageManifest; files: Record<string, Uint8Array<ArrayBuffer>> }> {
  const bearer = (await token.read()) ?? "";
  const from = { ...progress, keep: ENCODERS, headers: { Authorization: `Bearer ${bearer}` } };
  // The digest of the manifest is the one in the release, of which the signatures were checked when its judge was taken.
  const url = `/api/v2/device/${scanType}/files/${digestOf(kept)}/${MANIFEST}`;
  const raw = await obtain({ url, bytes: null }, { ...from, check: (content) => checkDigest(content, digestOf(kept), MANIFEST) });
  const manifest = JSON.parse(new TextDecoder().decode(raw)) as PackageManifest;
  const files: Record<string, Uint8Array<ArrayBuffer>> = {};
  for (const part of parts) {
    const name = part.url.slice(part.url.lastIndexOf("/") + 1);
    const check = async (content: Uint8Array<ArrayBuffer>): Promise<void> => {
      files[name] = await unpacked(content).catch(() => Promise.reject(new Untrusted(`${name} is no archive.`)));
      await checkDigest(files[name], manifest.files[name], name);
    };
    await obtain(part, { ...from, check });
  }
  return { manifest, files };
}

// ---- Asking it ----------------------------------------------------------------------------------------------------

/** It was ended on purpose while somebody waited for its answer. */
class Ended extends Error {}

class Asked {
  private readonly waiting = new Map<number, { resolve(answer: Judgement | undefined): void; reject(reason: Error): void }>();
  private next = 0;
  private timer: number | undefined;

  constructor(
    readonly digest: string,
    private readonly worker: Worker,
    private readonly idle: () => void,
  ) {
    worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
      const { resolve, reject } = this.waiting.get(data.id)!;
      this.waiting.delete(data.id);
      if ("problem" in data) reject(new Error(data.problem));
      else resolve(data.judgement);
      this.timer = window.setTimeout(this.idle, IDLE_MILLISECONDS);
    });
    worker.addEventListener("error", () => this.end(new Error("The encoder's worker failed.")));
  }

  open(given: Given): Promise<unknown> {
    return this.say({ id: 0 }, given, [given.model.buffer, given.engine.buffer]);
  }

  async judge(text: string): Promise<Judgement> {
    const question: Question = { id: ++this.next, text };
    return (await this.say(question, question, []))!;
  }

  end(why: Error = new Ended("The encoder was ended.")): void {
    window.clearTimeout(this.timer);
    this.worker.terminate();
    for (const { reject } of this.waiting.values()) reject(why);
    this.waiting.clear();
  }

  private say({ id }: { id: number }, message: Given | Question, moved: Transferable[]): Promise<Judgement | undefined> {
    window.clearTimeout(this.timer);
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage(message, moved);
    });
  }
}

/** Packages whose encoder has failed since the page was opened. */
const broken = new Set<string>();
const askedOf = new Map<ScanType, Promise<Asked | null>>();

function end(scanType: ScanType): void {
  const asked = askedOf.get(scanType);
  askedOf.delete(scanType);
  void asked?.then((each) => each?.end()).catch(() => undefined);
}

async function running(scanType: ScanType, digest: string): Promise<Asked | null> {
  const before = await askedOf.get(scanType)?.catch(() => null);
  if (before && before.digest !== digest) end(scanType);
  let asked = askedOf.get(scanType);
  if (asked === undefined) {
    asked = started(scanType, digest);
    askedOf.set(scanType, asked);
    if ((await asked.catch(() => null)) === null && askedOf.get(scanType) === asked) askedOf.delete(scanType);
  }
  return asked;
}

/** A worker with everything it takes; null where something is missing on this phone. Nothing is fetched for it. */
async function started(scanType: ScanType, digest: string): Promise<Asked | null> {
  const { current } = await readShelf(scanType);
  if (current === null || current.release.package !== digest) return null;
  const list = await (await cache())?.match(listUrl(scanType, current));
  if (!list) return null;
  const parts = (await list.json()) as Part[];
  if ((await missing([ENCODER.worker, ENCODER.engine])).length + (await missing(parts, ENCODERS)).length > 0) return null;
  const quiet: Progress = { arrived: () => undefined, signal: new AbortController().signal };
  const engine = await unpacked(await obtain(ENCODER.engine, quiet));
  const { manifest, files } = await contentOf(scanType, current, parts, quiet);
  const { "model.int8.onnx": model, "tokenizer.json": tokenizer, "samples.json": samples, "linear.safetensors": linear } = files;
  if (!model || !tokenizer || !samples) return null;
  const worker = new Worker(trusted.createScriptURL(ENCODER.worker.url), { type: "module" });
  const asked = new Asked(digest, worker, () => end(scanType));
  try {
    await asked.open({ engine, model, content: { manifest, tokenizer, samples, characters: current.characters, ...(linear ? { linear } : {}) } });
  } catch (error) {
    asked.end();
    throw error;
  }
  return asked;
}
