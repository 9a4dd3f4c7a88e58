// The normaliser `scam-text-v3` of shield/text.py, step for step. A normaliser never changes once released, so
// neither does this: a new one gets a function of its own and a line in NORMALISERS.
import { isAscii, type Characters, type Points } from "./characters";
import { lower, nfkc } from "./unicode";

export const NORMALISERS: Record<string, (text: Points, characters: Characters) => Points> = {
  "scam-text-v3": scamTextV3,
};

const [SPACE, SOFT_HYPHEN, DOT] = [0x20, 0xad, 0x2e];
/** Stands behind a word that was disguised. */
const MARK = [SPACE, 0x2021];
/** A word whose letters stand apart, in the classes of `classesOf`: a letter, d decimal digit. */
const APART = /(?<![ad])(?<![ad][._*~-])a(?:([._*~-])[ad](?:\1[ad])+|(?: [ad]){3,})(?![ad])(?![._*~-][ad])/g;
const BETWEEN = new Set([..." ._*~-"].map((sign) => sign.charCodeAt(0)));
const DOTS = new Set([..."._*~\u00b7\u2022|-"].map((sign) => sign.charCodeAt(0)));
const PLACE = new Set([..."/@\\"].map((sign) => sign.charCodeAt(0)));
const ENDING = new Set([..."!?,;:"].map((sign) => sign.charCodeAt(0)));
const LONGEST_INITIALS = 7;
/** Five words and the dots between them are nine characters at least. */
const SHORTEST = 9;
const MANY = 5;

function scamTextV3(text: Points, characters: Characters): Points {
  let read = seenAs(joined(text, characters), characters);
  // Each step may make work for another: dots go, and the letters between them stand apart.
  for (;;) {
    const plainer = spread(joined(read, characters), characters);
    if (same(plainer, read)) return withoutRepeatedMarks(read);
    read = seenAs(plainer, characters);
  }
}

/** What a person sees: without invisible characters, blanks of any kind as a space. */
export function seen(text: Points, characters: Characters): Points {
  const out: Points = [];
  for (const point of text)
    if (characters.isBlank(point)) out.push(SPACE);
    else if (!characters.isInvisible(point)) out.push(point);
  return out;
}

/** Whether a letter or a digit is seen, or a sign that is drawn as one. */
export function hasWords(text: Points, characters: Characters): boolean {
  return text.some(
    (point) =>
      !characters.isInvisible(point) &&
      !characters.isBlank(point) &&
      (characters.isAlphanumeric(point) || characters.isFigure(point)),
  );
}

function letters(text: Points, characters: Characters): Points {
  const out: Points = [];
  for (const point of text) {
    const drawn = characters.drawn.get(point);
    if (drawn !== undefined) out.push(...drawn);
    else out.push(characters.isBlank(point) ? SPACE : point);
  }
  return out;
}

function seenAs(text: Points, characters: Characters): Points {
  if (isAscii(text)) return joinWords(split(seen(text, characters), characters));
  const marked = split(text, characters).map((word) => (isOdd(word, characters) ? [...word, ...MARK] : word));
  const first = nfkc(seen(letters(joinWords(marked), characters), characters), characters);
  const plain = nfkc(withoutOverlays(seen(first, characters), characters), characters);
  return joinWords(split(plain, characters).map((word) => foldWord(word, characters)));
}

/** Whether a word is disguised in a way that folding removes. */
function isOdd(word: Points, characters: Characters): boolean {
  if (isAscii(word)) return false;
  const plain = letters(word, characters);
  return isDisguised(word, characters) || struck(plain, characters) > 1 || hidesInWord(plain, characters);
}

function isDisguised(word: Points, characters: Characters): boolean {
  let [longest, run, figures] = [0, 0, 0];
  for (const point of word) {
    run = point >= 0x1f1e6 && point <= 0x1f1ff ? run + 1 : 0;
    longest = Math.max(longest, run);
    if (characters.isFigure(point)) figures++;
  }
  return (longest > 2 && longest % 2 === 1) || figures > 1;
}

/** How often strokes or frames go through a letter or digit. */
function struck(text: Points, characters: Characters): number {
  return text.filter((point, at) => at > 0 && characters.isOverlay(point) && isPlain(text[at - 1]!)).length;
}

function withoutOverlays(text: Points, characters: Characters): Points {
  const out: Points = [];
  let drops = false;
  for (const point of text) {
    drops = characters.isOverlay(point) && (drops || (out.length > 0 && isPlain(out[out.length - 1]!)));
    if (!drops) out.push(point);
  }
  return out;
}

function hidesInWord(text: Points, characters: Characters): boolean {
  for (let at = 0; at + 2 < text.length; at++) {
    if (!isLatin(text[at]!) || text[at + 1] === SOFT_HYPHEN) continue;
    let end = at + 1;
    while (end < text.length && characters.isInvisible(text[end]!)) end++;
    if (end > at + 1 && end < text.length && isLatin(text[end]!)) return true;
  }
  return false;
}

function foldWord(word: Points, characters: Characters): Points {
  if (isAscii(word)) return word;
  if (!lower(word, characters).some((point) => point >= 0x61 && point <= 0x7a)) return word;
  const plain = word.map((point) => characters.lookAlikes.get(point)?.[0] ?? point);
  return same(plain, word) ? word : [...plain, ...MARK];
}

/** Join words whose letters stand apart, and mark those that are no initials. */
function joined(text: Points, characters: Characters): Points {
  const classes = classesOf(text, characters);
  const out: Points = [];
  let end = 0;
  for (const match of classes.matchAll(APART)) {
    const word = text.slice(match.index, match.index + match[0].length);
    for (let at = end; at < match.index; at++) out.push(text[at]!);
    out.push(...word.filter((point) => !BETWEEN.has(point)));
    if (!isInitials(word, characters)) out.push(...MARK);
    end = match.index + match[0].length;
  }
  if (end === 0) return text;
  for (let at = end; at < text.length; at++) out.push(text[at]!);
  return out;
}

/** One ASCII sign for each character: so that a pattern needs no Unicode. */
function classesOf(text: Points, characters: Characters): string {
  const out = text.map((point) => {
    if (characters.isAlphanumeric(point)) return characters.isDecimal(point) ? "d" : "a";
    return BETWEEN.has(point) ? String.fromCharCode(point) : "x";
  });
  return out.join("");
}

function isInitials(word: Points, characters: Characters): boolean {
  return word.includes(DOT) && isUpper(word, characters) && word.length <= LONGEST_INITIALS;
}

function isUpper(text: Points, characters: Characters): boolean {
  if (text.some((point) => characters.isLowercase(point) || characters.isTitlecase(point))) return false;
  return text.some(characters.isUppercase);
}

function isLower(text: Points, characters: Characters): boolean {
  if (text.some((point) => characters.isUppercase(point) || characters.isTitlecase(point))) return false;
  return text.some(characters.isLowercase);
}

/** Part words that dots stand between; hosts stay whole. */
function spread(text: Points, characters: Characters): Points {
  let run = 0;
  const long = text.some((point) => (run = characters.isSpace(point) ? 0 : run + 1) >= SHORTEST);
  if (!long) return text;
  return joinWords(split(text, characters).map((token) => (token.length >= SHORTEST ? wordsOf(token, characters) : token)));
}

function wordsOf(token: Points, characters: Characters): Points {
  let [start, end] = [0, token.length];
  while (start < end && DOTS.has(token[start]!)) start++;
  while (end > start && DOTS.has(token[end - 1]!)) end--;
  const core = token.slice(start, end);
  const words: Points[] = [[]];
  core.forEach((point, at) => {
    if (!DOTS.has(point)) words[words.length - 1]!.push(point);
    else if (!DOTS.has(core[at - 1] ?? 0)) words.push([]);
  });
  const spelled = words.filter((word) => word.length > 1 && word.every(characters.isAlphabetic)).length;
  if (words.length < MANY || spelled < MANY - 2 || isPlace(token)) return token;
  const last = words[words.length - 1]!;
  let length = last.length;
  while (length > 0 && ENDING.has(last[length - 1]!)) length--;
  const ending = String.fromCodePoint(...last.slice(0, length));
  if (isLower(core, characters) && (length === 2 || characters.topLevelNames.has(ending))) return token;
  return joinWords(words);
}

function isPlace(token: Points): boolean {
  return token.some((point) => PLACE.has(point)) || /^www\.$/i.test(String.fromCodePoint(...token.slice(0, 4)));
}

function withoutRepeatedMarks(text: Points): Points {
  const out: Points = [];
  for (let at = 0; at < text.length; ) {
    let end = at;
    while (text[end] === MARK[0] && text[end + 1] === MARK[1]) end += 2;
    // A last mark that something is written onto is not one.
    if (end > at && end < text.length && text[end] !== SPACE) end -= 2;
    if (end > at) {
      out.push(...MARK);
      at = end;
    } else out.push(text[at++]!);
  }
  return out;
}

/** `str.split()`: at white space of any kind and length. */
function split(text: Points, characters: Characters): Points[] {
  const words: Points[] = [];
  let word: Points = [];
  for (const point of text)
    if (!characters.isSpace(point)) word.push(point);
    else if (word.length > 0) {
      words.push(word);
      word = [];
    }
  if (word.length > 0) words.push(word);
  return words;
}

function joinWords(words: Points[]): Points {
  const out: Points = [];
  words.forEach((word, at) => {
    if (at > 0) out.push(SPACE);
    for (const point of word) out.push(point);
  });
  return out;
}

function same(one: Points, other: Points): boolean {
  return one === other || (one.length === other.length && one.every((point, at) => point === other[at]));
}

function isLatin(point: number): boolean {
  return (point >= 0x41 && point <= 0x5a) || (point >= 0x61 && point <= 0x7a);
}

function isPlain(point: number): boolean {
  return isLatin(point) || (point >= 0x30 && point <= 0x39);
}
