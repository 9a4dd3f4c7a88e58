// What is large and needed by few: fetched when somebody asks for it, and kept on the phone from then on.

/** The browser's cache that holds it; the service worker answers from it, and removes what a newer build no longer names. */
export const DOWNLOADS = "downloads";

export interface Part {
  /** The address holds the hash of the content, so what is kept is never out of date. */
  url: string;
  /** Its size as it is counted while it arrives. */
  bytes: number;
}

async function shelf(): Promise<Cache | undefined> {
  // Over plain http and in some private windows there is none: then it is fetched each time.
  return "caches" in globalThis ? caches.open(DOWNLOADS).catch(() => undefined) : undefined;
}

/** Return those of `parts` that are not on this phone. */
export async function missing(parts: Part[]): Promise<Part[]> {
  const cache = await shelf();
  const there = await Promise.all(parts.map(async ({ url }) => (await cache?.match(url)) !== undefined));
  return parts.filter((_, index) => !there[index]);
}

/** Return the content of a part, from this phone or from the server, whole. Rejects when it can be had from neither. */
export async function obtain(part: Part, { arrived, signal }: { arrived(bytes: number): void; signal: AbortSignal }): Promise<Uint8Array<ArrayBuffer>> {
  const cache = await shelf();
  const kept = await cache?.match(part.url);
  if (kept) return new Uint8Array(await kept.arrayBuffer());
  const answer = await fetch(part.url, { signal });
  if (!answer.ok || !answer.body) throw new Error(`${part.url}: ${answer.status}`);
  const content = new Uint8Array(part.bytes);
  let length = 0;
  for (const reader = answer.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    if (length + value.length > content.length) throw new Error(`${part.url} is longer than announced.`);
    content.set(value, length);
    length += value.length;
    arrived(value.length);
  }
  if (length !== content.length) throw new Error(`${part.url} was cut off.`);
  // With its headers: the worker's say what it may do. A full phone keeps nothing and reads all the same.
  await cache?.put(part.url, new Response(content, { headers: answer.headers })).catch(() => undefined);
  return content;
}

/** Undo gzip. */
export async function unpacked(content: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([content]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
