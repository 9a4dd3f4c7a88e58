// Reading a saved mail (`.eml`) on the device: what `read_mail` in shield/mail.py makes of the same bytes. Fetched only when
// somebody picks a mail; attachments are left out, and nothing in a mail is executed or fetched.
import PostalMime, { decodeWords, type Header } from "postal-mime";
import { BLANKS, textOfHtml } from "./html";
import { DEEPEST_MAILS, DEEPEST_PARTS, Headers, MOST_BYTES, TooMuch, Work } from "./limits";

export { TooMuch, Work };

/** Characters that are kept: as many as a scan takes. */
const LONGEST = 20_000;
/** What the library says when there is more than it was told to read; any other error is a fault. */
const LIMIT = /^Maximum (MIME nesting depth|header size) /;
const HEADERS = ["from", "subject", "to", "date", "received", "return-path", "message-id"];

interface Value {
  value: string;
  params: Record<string, string | undefined>;
}

/** A node of the library's tree. It gives away bodies that are already joined; what a program shows is one part of the tree. */
interface Part {
  state: string;
  contentType: { parsed: Value };
  contentDisposition: { parsed: Value };
  content: ArrayBuffer | null;
  childNodes: Part[];
  headers: Header[];
  getTextContent(): string;
}

/** What of the library's parser is used. */
interface Parser {
  root: Part;
  currentNode: Part;
  processLine(line: Uint8Array, isLast: boolean): Promise<void>;
}

/** What was read: sender, subject and body of a mail as its reader sees them, links with their targets; null: it is no mail. `cut`: there was more. */
export interface Read {
  text: string | null;
  cut: boolean;
}

/** Read a mail, and count the work. Throws `TooMuch`. */
export async function readMail(mail: Blob, work = new Work()): Promise<Read> {
  const root = await opened(new Uint8Array(await mail.slice(0, MOST_BYTES).arrayBuffer()), work);
  const cut = mail.size > MOST_BYTES;
  const { headers } = root;
  if (!headers.some(({ key }) => HEADERS.includes(key))) return { text: null, cut };
  const body = bodyOf(await leaves(root, 0, work));
  const first = (name: string): string => spaced(decodeWords(headers.find(({ key }) => key === name)?.value ?? ""));
  const text = [first("from"), first("subject"), body].filter(Boolean).join("\n");
  return { text: [...text].slice(0, LONGEST).join(""), cut };
}

/** Parse a mail, and no mail in it, into the tree of its parts. */
async function opened(raw: Uint8Array<ArrayBuffer>, work: Work): Promise<Part> {
  work.begin(raw);
  const parser = new PostalMime({ maxNestingDepth: DEEPEST_PARTS }) as unknown as Parser & PostalMime;
  const { processLine } = parser;
  let [part, headers] = [parser.root, new Headers()];
  const nothing = async (): Promise<void> => undefined;
  Object.assign(parser, {
    async processLine(line: Uint8Array<ArrayBuffer>, isLast: boolean) {
      await work.line();
      if (parser.currentNode !== part) [part, headers] = [parser.currentNode, new Headers()];
      await processLine.call(parser, part.state === "header" ? headers.read(line) : line, isLast);
    },
    // The tree is enough: bodies that nobody reads are neither joined nor turned into one another, nor are addresses read.
    collectNode: nothing,
    renderTextContent: nothing,
    buildMessage: nothing,
  });
  try {
    await parser.parse(raw);
  } catch (error) {
    throw error instanceof Error && LIMIT.test(error.message) ? new TooMuch() : error;
  }
  return parser.root;
}

/** All parts that hold something, in their order, those of mails in the mail too. */
async function leaves(part: Part, mails: number, work: Work): Promise<Part[]> {
  const kind = kindOf(part);
  if (kind.startsWith("message/") && part.content) {
    if (mails >= DEEPEST_MAILS) throw new TooMuch();
    return leaves(await opened(new Uint8Array(part.content), work), mails + 1, work);
  }
  if (!kind.startsWith("message/") && !kind.startsWith("multipart/")) return isAttached(part) ? [] : [part];
  const all: Part[] = [];
  for (const child of part.childNodes) all.push(...(await leaves(child, mails, work)));
  return all;
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
