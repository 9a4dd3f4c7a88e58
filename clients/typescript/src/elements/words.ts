// Every text of the elements, in English. `{truth}` and `{reason}` are filled in. docs/phone.md names the same keys.

export const ENGLISH = {
  "verdict.scam": "Looks like a scam",
  "verdict.harmless": "Looks harmless",
  "verdict.unsure": "We are not sure",
  "certainty.sure": "The filter is sure.",
  "certainty.leaning.scam": "It is closer to a scam than to a harmless message.",
  "certainty.leaning.harmless": "It is closer to a harmless message than to a scam.",
  "card.why": "Why",
  "card.busy": "Looking at the message",
  "card.problem": "There is no verdict",
  "card.version": "Judged by {version}",
  "feedback.question": "Is this right?",
  "feedback.correct": "Correct",
  "feedback.wrong": "Wrong",
  "feedback.change": "Change",
  "feedback.sign-in": "Sign in",
  "feedback.truth.scam": "a scam",
  "feedback.truth.harmless": "harmless",
  "feedback.sending": "You said: {truth}. It is being sent.",
  "feedback.waiting": "You said: {truth}. It is kept here and sent when you are online.",
  "feedback.signed-out": "You said: {truth}. It is kept here. Sign in again to send it.",
  "feedback.sent": "You said: {truth}. Thanks for your feedback!",
  "feedback.failed": "Not accepted: {reason}",
  "feedback.approved": "You said: {truth}. A reviewer agreed. The filter will learn from it.",
  "feedback.rejected": "You said: {truth}. A reviewer looked and saw it differently.",
  "feedback.unkept": "This could not be kept: {reason}",
  "dialog.title": "What is it really?",
  "dialog.harmless": "It is harmless",
  "dialog.scam": "It is a scam",
  "dialog.comment": "Comment (optional)",
  "dialog.hint": "What gave it away?",
  "dialog.who-reads": "A person will read the message and your comment to decide.",
  "dialog.cancel": "Cancel",
  "dialog.send": "Send",
} as const;

export type Word = keyof typeof ENGLISH;
export type Words = Readonly<Record<Word, string>>;

/** A text with its places filled in. */
export function say(words: Words, word: Word, filled: Record<string, string> = {}): string {
  return words[word].replace(/\{(\w+)\}/g, (place, name: string) => filled[name] ?? place);
}
