// What a reader sees of a mail's HTML, each link followed by where it leads: as `text_of_html` in shield/mail.py, which the
// server reads mails by. Nothing is parsed by the browser, executed or fetched, and the time is linear in the length.
import { decodeHTML, replaceCodePoint } from "entities/decode";

const HIDDEN: [start: string, end: string][] = [
  ["<!--", "-->"],
  ["<script", "</script"],
  ["<style", "</style"],
  ["<head>", "</head"],
  ["<title", "</title"],
];
/** Tags that part no words. */
const INLINE = new Set(["a", "b", "em", "font", "i", "span", "strong", "u"]);
const TAG = /<([^<>]{0,2000})>/g;
const TARGET = /\bhref\s{0,9}=\s{0,9}["']?(https?:\/\/[^\s"'<>]{1,300})/i;
const REFERENCE = /&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/g;
/** Python's blanks (`str.split`); the language's own differ in five. */
export const BLANKS = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

export function textOfHtml(html: string): string {
  for (const [start, end] of HIDDEN) html = without(html, start, end);
  const shown: string[] = [];
  let [at, target, since] = [0, "", 0];
  for (const tag of html.matchAll(TAG)) {
    shown.push(unescaped(html.slice(at, tag.index)));
    at = tag.index + tag[0].length;
    const inside = tag[1] ?? "";
    const name = inside.replace(/^\/+/, "").toLowerCase().split(BLANKS).find(Boolean) ?? "";
    if (name === "a") {
      shown.push(told(target, shown.slice(since).join("")));
      target = TARGET.exec(inside)?.[1] ?? "";
      since = shown.length;
    }
    shown.push(INLINE.has(name) ? "" : " ");
  }
  shown.push(unescaped(html.slice(at)));
  return [...shown, told(target, shown.slice(since).join(""))].join("");
}

/** Where a link leads, unless what is shown of it says so. */
function told(target: string, shown: string): string {
  const host = hostOf(target);
  return host && !shown.toLowerCase().includes(host) ? ` (${target})` : "";
}

/** The host of an address as it is written, in small letters; "" where there is none. */
function hostOf(target: string): string {
  const place = /^https?:\/\/([^/?#]*)/i.exec(target)?.[1] ?? "";
  const plain = place.replace(/[@:#?]/g, "");
  const folded = plain.normalize("NFKC");
  // Letters that turn into separators: no program opens that.
  if (folded !== plain && /[/?#@:]/.test(folded)) return "";
  const host = place.slice(place.lastIndexOf("@") + 1);
  if (/[[\]]/.test(place)) return /^\[([0-9a-f:.]+)\](?::|$)/i.exec(host)?.[1]?.toLowerCase() ?? "";
  return (host.split(":")[0] ?? "").toLowerCase();
}

/** HTML without what stands between two marks; what is never closed ends it. */
function without(html: string, start: string, end: string): string {
  // Of other letters the small one may be longer, and places would no longer fit.
  const folded = html.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  const kept: string[] = [];
  let at = 0;
  for (let opened = folded.indexOf(start); opened >= 0; opened = folded.indexOf(start, at)) {
    kept.push(html.slice(at, opened));
    const closed = folded.indexOf(end, opened);
    const shut = closed < 0 ? -1 : folded.indexOf(">", closed + end.length - 1);
    if (shut < 0) return kept.join("");
    at = shut + 1;
  }
  return [...kept, html.slice(at)].join("");
}

/** Undo references (`&amp;`, `&#65;`), whatever numbers they are. */
function unescaped(text: string): string {
  return text.replace(REFERENCE, (whole, what: string) => {
    if (!what.startsWith("#")) return decodeHTML(whole);
    const digits = what.slice(1).replace(/;$/, "");
    return character(/^x/i.test(digits) ? parseInt(digits.slice(1), 16) : parseInt(digits, 10));
  });
}

/** The character of a number, as HTML says; "" for those that are none. */
function character(point: number): string {
  const known = replaceCodePoint(point);
  const control = (point < 0x20 && ![0, 9, 10, 12, 13].includes(point)) || point === 0x7f;
  const none = (known >= 0xfdd0 && known <= 0xfdef) || (known & 0xfffe) === 0xfffe;
  return control || none ? "" : String.fromCodePoint(known);
}
