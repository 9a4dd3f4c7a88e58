// What is large and needed by few: fetched when somebody asks for it, and kept on the phone from then on.
import { Untrusted } from "../judge/trust";

/** The browser's cache that holds it; the service worker answers from it, and removes what a newer build no longer names. */
export const DOWNLOADS = "downloads";
/** The cache for files of versions, which builds know nothing of. */
export const ENCODERS = "encoders";

/** How often a download that breaks off is taken up again. */
const MOST_ATTEMPTS = 4;

export interface Part {
  /** The address holds the hash of the content, so what is kept is never out of date. */
  url: string;
  /** Its size as it is counted while it arrives; null: it is small, and no size was told. */
  bytes: number | null;
}

interface How {
  arrived(bytes: number): void;
  signal: AbortSignal;
  /** The cache that keeps it. */
  keep?: string;
  headers?: Record<string, string>;
  /** Rejects where the content is not what it should be: it is not kept then, and no longer kept if it was. */
  check?(content: Uint8Array<ArrayBuffer>): Promise<void>;
}

async function shelf(name: string): Promise<Cache | undefined> {
  // Over plain http and in some private windows there is none: then it is fetched each time.
  return "caches" in globalThis ? caches.open(name).catch(() => undefined) : undefined;
}

/** Return those of `parts` that are not on this phone. */
export async function missing(parts: Part[], keep = DOWNLOADS): Promise<Part[]> {
  const cache = await shelf(keep);
  const there = await Promise.all(parts.map(async ({ url }) => (await cache?.match(url)) !== undefined));
  return parts.filter((_, index) => !there[index]);
}

/** Remove from this phone what lies under paths that `chosen` names. */
export async function forget(keep: string, chosen: (path: string) => boolean): Promise<void> {
  const cache = await shelf(keep);
  for (const request of (await cache?.keys()) ?? []) if (chosen(new URL(request.url).pathname)) await cache?.delete(request);
}

/** Return the content of a part, from this phone or from the server, whole. Rejects when it can be had from neither. */
export async function obtain(part: Part, { arrived, signal, keep = DOWNLOADS, headers = {}, check }: How): Promise<Uint8Array<ArrayBuffer>> {
  const cache = await shelf(keep);
  const kept = await cache?.match(part.url);
  if (kept) {
    const content = new Uint8Array(await kept.arrayBuffer());
    try {
      await check?.(content);
      return content;
    } catch {
      await cache?.delete(part.url);
    }
  }
  const { content, answer } = await fetched(part, { arrived, signal, headers });
  await check?.(content);
  // With its headers: the worker's say what it may do. A full phone keeps nothing and reads all the same.
  await cache?.put(part.url, new Response(content, { headers: answer.headers })).catch(() => undefined);
  return content;
}

async function fetched(part: Part, { arrived, signal, headers }: Required<Pick<How, "arrived" | "signal" | "headers">>): Promise<{ content: Uint8Array<ArrayBuffer>; answer: Response }> {
  const first = await fetch(part.url, { signal, headers, credentials: "omit" });
  if (!first.ok || !first.body) throw new Error(`${part.url}: ${first.status}`);
  if (part.bytes === null) return { content: new Uint8Array(await first.arrayBuffer()), answer: first };
  const content = new Uint8Array(part.bytes);
  let length = 0;
  const take = async (body: ReadableStream<Uint8Array>): Promise<void> => {
    for (const reader = body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      if (length + value.length > content.length) throw new Untrusted(`${part.url} is longer than announced.`);
      content.set(value, length);
      length += value.length;
      arrived(value.length);
    }
  };
  // Where the network goes in between, the rest is asked for, if the server says which content it is.
  const tag = first.headers.get("ETag");
  let body: ReadableStream<Uint8Array> | null = first.body;
  for (let attempt = 1; ; attempt++) {
    try {
      await take(body);
      break;
    } catch (error) {
      if (signal.aborted || error instanceof Untrusted || tag === null || attempt === MOST_ATTEMPTS) throw error;
      const rest = await fetch(part.url, { signal, headers: { ...headers, Range: `bytes=${length}-`, "If-Range": tag }, credentials: "omit" });
      if (rest.status !== 206 || !rest.body) throw error;
      body = rest.body;
    }
  }
  if (length !== content.length) throw new Error(`${part.url} was cut off.`);
  return { content, answer: first };
}

/** Undo gzip. */
export async function unpacked(content: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([content]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
