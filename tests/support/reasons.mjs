// Explains texts with the phone's code in node: `node reasons.mjs CHARACTERS QUESTION ANSWERS`. QUESTION is a JSON object:
// `texts`, `reader` (language, country), `said` (scanType, flagged, sure); ANSWERS gets, for each text, its words, its signs
// in order, and why it was judged so.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const assets = join(dirname(fileURLToPath(import.meta.url)), "../../api/pages/assets");
const require = createRequire(pathToFileURL(join(assets, "package.json")));
const bundle = require("esbuild").buildSync({
  stdin: {
    contents: `export { explain, signsOf, wordsOf } from "./reasons"; export { Characters } from "./characters";`,
    resolveDir: join(assets, "src/judge"),
    loader: "ts",
  },
  bundle: true,
  format: "esm",
  target: "es2022",
  write: false,
});
const code = Buffer.from(bundle.outputFiles[0].contents).toString("base64");
const { explain, signsOf, wordsOf, Characters } = await import(`data:text/javascript;base64,${code}`);

const [characterTables, question, answers] = process.argv.slice(2);
const characters = new Characters(JSON.parse(readFileSync(characterTables, "utf8")));
const tables = JSON.parse(readFileSync(join(assets, "src/reasons.json"), "utf8"));
const { texts, reader, said } = JSON.parse(readFileSync(question, "utf8"));
const told = texts.map((text) => ({
  words: wordsOf(text, characters),
  signs: [...signsOf(text, tables, characters)].sort(),
  why: explain(text, said, tables, reader, characters),
}));
writeFileSync(answers, JSON.stringify(told));
