// How much of a mail is read: a mail is a stranger's, and may be made to cost its reader minutes. The same limits as in shield/mail_parts.py, so that
// both read the same mails. They are checked before anything is parsed, except the depth and the headers of each part, which are checked on the way down.

/** Of a longer mail the beginning is read: attachments, which make mails long, follow the text. */
export const MOST_BYTES = 500_000;
const MOST_LINES = 20_000;
/** Lines that begin as the boundary of a part does; some are none. */
const MOST_PARTS = 1_000;
/** Of one part. */
const MOST_HEADERS = 1_000;
/** Bytes of a header that are read, its name among them; line ends are not counted. */
const LONGEST_HEADER = 2_000;
const HEADER = /^[!-9;-~]+:/;
/** Mails in mails in mails: nobody reads on there. */
export const DEEPEST_MAILS = 5;
/** Parts in parts of one mail. */
export const DEEPEST_PARTS = 20;
/** Lines after which others may do something: the page must not stand still. */
const LINES_AT_ONCE = 500;

/** It has too many lines, headers or parts, or they are in one another too deeply. */
export class TooMuch extends Error {}

/** What reading one mail has cost so far, with all mails in it: each of them is read again by itself. */
export class Work {
  bytes = 0;
  lines = 0;
  parts = 0;
  parses = 0;
  pauses = 0;

  /** Count what parsing these bytes takes, before it is done. */
  begin(raw: Uint8Array): void {
    // A mail in a mail is part of it, and no larger; only one that is encoded may have more lines than the lines around it.
    const times = this.parses === 0 ? 1 : DEEPEST_MAILS + 1;
    this.parses += 1;
    this.bytes += raw.length;
    for (let at = 0; at < raw.length; at++) {
      const begins = at === 0 || raw[at - 1] === 10 || raw[at - 1] === 13;
      if (raw[at] === 10 ? raw[at - 1] !== 13 : raw[at] === 13) this.lines += 1;
      else if (begins && raw[at] === 45 && raw[at + 1] === 45) this.parts += 1;
    }
    if (this.bytes > times * MOST_BYTES || this.lines > times * MOST_LINES || this.parts > times * MOST_PARTS) throw new TooMuch();
  }

  private since = 0;

  /** Let others do something after each few hundred lines. */
  async line(): Promise<void> {
    this.since += 1;
    if (this.since < LINES_AT_ONCE) return;
    this.since = 0;
    this.pauses += 1;
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** What of the headers of one part is read. */
export class Headers {
  private count = 0;
  private room = 0;

  /** As much of a line as is read. */
  read(line: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    // It may be the boundary of a part, and a header with such a name is not read.
    if (line[0] === 45 && line[1] === 45) return line;
    if (line[0] !== 32 && line[0] !== 9) {
      this.room = LONGEST_HEADER;
      this.count += Number(HEADER.test(new TextDecoder("latin1").decode(line)));
      if (this.count > MOST_HEADERS) throw new TooMuch();
    }
    const read = Math.min(line.length, this.room);
    this.room -= read;
    // A line of nothing would end the headers: of one that continues a header its blank is left.
    return line.subarray(0, read || 1);
  }
}
