// What the page and its worker say to each other.
import type { Judgement } from "../../judge/model";
import type { Content } from "../../judge/whole";

/** First, once: everything that judging takes, as bytes. The worker can fetch nothing by itself. */
export interface Given {
  engine: Uint8Array<ArrayBuffer>;
  model: Uint8Array<ArrayBuffer>;
  content: Content;
}

/** Then, any number of times. */
export interface Question {
  id: number;
  text: string;
}

/** `id` is 0 for the answer to `Given`. */
export type Answer = { id: number; judgement?: Judgement } | { id: number; problem: string };
