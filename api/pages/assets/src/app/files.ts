// What is no pasted text: a picture of a QR code or of a message, a mail as it was saved, a text file. All of it is read on the device.
import { canRead, readTextOf } from "./picture/dialog";
import { say, type Key } from "./words";
import type { ScanType } from "./wire";

/** Where the script that reads QR codes is. Put in by the build. */
declare const QR_SCRIPT: string;
/** The same for mails. */
declare const MAIL_SCRIPT: string;

/** What a file turned out to be. */
export type Read =
  | { kind: "text"; text: string; scanType?: ScanType; note?: string }
  | { kind: "mail"; name: string; text: string; note?: string }
  | { kind: "nothing" }
  | { kind: "problem"; sentence: string };

const LONGEST_TEXT = 20_000;
/** Of a character; no longer file is opened to count them. */
const MOST_BYTES_EACH = 4;
const LARGEST_PICTURE_BYTES = 30_000_000;

export async function readFile(file: File): Promise<Read> {
  const problem = (key: Extract<Key, `file.${string}`>): Read => ({ kind: "problem", sentence: say(key, { name: file.name }) });
  if (file.type.startsWith("image/")) {
    if (file.size > LARGEST_PICTURE_BYTES) return problem("file.tooLarge");
    return readPicture(file, problem);
  }
  if (/\.eml$/i.test(file.name) || file.type === "message/rfc822") return readMail(file, problem);
  if (!file.type.startsWith("text/plain")) return problem("file.unknown");
  if (file.size > MOST_BYTES_EACH * LONGEST_TEXT) return problem("file.tooLarge");
  const text = (await file.text()).trim();
  if (text.length > LONGEST_TEXT) return problem("file.tooLarge");
  return text ? { kind: "text", text } : problem("file.unknown");
}

/** A mail is taken apart here: what of it goes anywhere is what its reader sees, and only when that is asked for. */
async function readMail(file: File, problem: (key: "file.noMail" | "file.tooMuch") => Read): Promise<Read> {
  let reader: typeof import("./mail/reader");
  try {
    reader = (await import(MAIL_SCRIPT)) as typeof reader;
  } catch {
    return { kind: "problem", sentence: say("picture.failed") };
  }
  try {
    const { text, cut } = await reader.readMail(file);
    return text ? { kind: "mail", name: file.name, text, ...(cut ? { note: say("file.cut", { name: file.name }) } : {}) } : problem("file.noMail");
  } catch (error) {
    return problem(error instanceof reader.TooMuch ? "file.tooMuch" : "file.noMail");
  }
}

async function readPicture(file: File, problem: (key: "file.broken" | "file.noQr") => Read): Promise<Read> {
  let readQr: (typeof import("./qr"))["readQr"];
  try {
    ({ readQr } = (await import(QR_SCRIPT)) as typeof import("./qr"));
  } catch {
    return { kind: "problem", sentence: say("picture.failed") };
  }
  let found: string | null;
  try {
    found = await readQr(file);
  } catch {
    return problem("file.broken");
  }
  if (!found?.trim()) return canRead() ? readText(file) : problem("file.noQr");
  const link = /^[a-z][a-z0-9+.-]*:\S+$/i.test(found.trim());
  return { kind: "text", text: found.trim(), note: say("file.qr"), ...(link ? { scanType: "phishing" } : {}) };
}

async function readText(picture: File): Promise<Read> {
  const text = await readTextOf(picture);
  if (text === null) return { kind: "nothing" };
  if (!text) return { kind: "problem", sentence: say("picture.none") };
  return { kind: "text", text: text.slice(0, LONGEST_TEXT), note: say("picture.done") };
}
