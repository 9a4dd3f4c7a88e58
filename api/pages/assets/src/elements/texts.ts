// The texts of the elements, among the page's sentences. The npm package has a list of its own in this place.
import type english from "../words/en.json";

export type Word = Extract<keyof typeof english, `${"verdict" | "certainty" | "card" | "now" | "happened" | "step" | "share" | "feedback" | "dialog"}.${string}` | "cancel">;
