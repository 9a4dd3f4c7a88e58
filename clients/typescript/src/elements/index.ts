// @antispam-shield/client/elements: importing it defines the three elements. Their sources are those of `/app`.
export { ENGLISH, WORDS, wordsOf, type Word, type Words } from "./words"; // first: an element that stands in the page speaks at once
export * from "../generated/elements/index";
