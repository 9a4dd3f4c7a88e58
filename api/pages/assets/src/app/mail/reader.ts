// Reading a saved mail (`.eml`) on the device: what `read_mail` in shield/mail.py makes of the same bytes. Fetched only when
// somebody picks a mail; attachments are left out, and nothing in a mail is executed or fetched.
import PostalMime, { decodeWords, type Header } from "postal-mime";
import { BLANKS, textOfHtml } from "./html";

/** Characters that are kept: as many as a scan takes. */
const LONGEST = 20_000;
/** Mails in mails in mails: nobody reads on there. */
const DEEPEST = 20;
const HEADERS = ["from", "subject", "to", "date", "received", "return-path", "message-id"];

interface Value {
  value: string;
  params: Record<string, string | undefined>;
}

/** A node of the library's tree. It gives away bodies that are already joined; what a program shows is one part of the tree. */
interface Part {
  contentType: { parsed: Value };
  contentDisposition: { parsed: Value };
  content: ArrayBuffer | null;
  childNodes: Part[];
  getTextContent(): string;
}

/** Return sender, subject and body of a mail as its reader sees them, links with their targets; null: it is no mail. */
export async function readMail(raw: Uint8Array<ArrayBuffer>): Promise<string | null> {
  let headers: Header[];
  let body: string;
  try {
    const mail = await opened(raw);
    headers = mail.headers;
    body = bodyOf(await leaves(mail.root, 0));
  } catch {
    // Made to break its reader, by parts in parts in parts: its words are read as they stand.
    const end = endOfHeaders(raw);
    headers = (await opened(raw.slice(0, end))).headers;
    body = spaced(new TextDecoder().decode(raw.subarray(end)));
  }
  if (!headers.some(({ key }) => HEADERS.includes(key))) return null;
  const first = (name: string): string => spaced(decodeWords(headers.find(({ key }) => key === name)?.value ?? ""));
  const text = [first("from"), first("subject"), body].filter(Boolean).join("\n");
  return [...text].slice(0, LONGEST).join("");
}

async function opened(raw: Uint8Array<ArrayBuffer>): Promise<{ headers: Header[]; root: Part }> {
  const parser = new PostalMime({ forceRfc822Attachments: true });
  const { headers } = await parser.parse(raw);
  return { headers, root: (parser as unknown as { root: Part }).root };
}

/** All parts that hold something, in their order, those of mails in the mail too. */
async function leaves(part: Part, depth: number): Promise<Part[]> {
  if (depth > DEEPEST) throw new RangeError("Parts in parts in parts.");
  const kind = kindOf(part);
  const inner = kind.startsWith("message/") && part.content ? [(await opened(new Uint8Array(part.content))).root] : part.childNodes;
  if (kind.startsWith("message/") || kind.startsWith("multipart/")) return (await Promise.all(inner.map((each) => leaves(each, depth + 1)))).flat();
  return isAttached(part) ? [] : [part];
}

/** The part that a program shows: the HTML, as text, or else the plain text. */
function bodyOf(parts: Part[]): string {
  for (const kind of ["text/html", "text/plain"])
    for (const part of parts) {
      if (kindOf(part) !== kind) continue;
      const text = spaced(kind === "text/html" ? textOfHtml(textOf(part)) : textOf(part));
      if (text) return text;
    }
  return "";
}

function kindOf({ contentType }: Part): string {
  const kind = contentType.parsed.value.trim().toLowerCase();
  return /^[^/]+\/[^/]+$/.test(kind) ? kind : "text/plain";
}

function isAttached({ contentType, contentDisposition }: Part): boolean {
  return !!(contentDisposition.parsed.params.filename ?? contentType.parsed.params.name);
}

function textOf(part: Part): string {
  // Lines that were broken for sending are one line anyway.
  delete part.contentType.parsed.params.format;
  return part.getTextContent();
}

function spaced(text: string): string {
  return text.split(new RegExp(BLANKS, "g")).filter(Boolean).join(" ");
}

function endOfHeaders(raw: Uint8Array): number {
  for (let at = 0; at < raw.length; at++)
    if (raw[at] === 10 && (raw[at + 1] === 10 || (raw[at + 1] === 13 && raw[at + 2] === 10))) return at + 1;
  return raw.length;
}
