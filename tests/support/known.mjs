// Compares texts with known scams by the phone's code in node: `node known.mjs CHARACTERS KNOWN TEXTS ANSWERS`. CHARACTERS
// is a `characters.json`, KNOWN a statement of known scams, TEXTS a JSON list of strings; ANSWERS gets, for each, its sketch
// (null: too few words), the names that its hosts may be known by, and the standing of the match (null: none).
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const assets = join(dirname(fileURLToPath(import.meta.url)), "../../api/pages/assets");
const require = createRequire(pathToFileURL(join(assets, "package.json")));
const bundle = require("esbuild").buildSync({
  stdin: {
    contents: `export { matched, sketchOf, hostsOf } from "./known"; export { Characters, points } from "./characters";
      export { NORMALISERS } from "./normalise"; export { lower } from "./unicode";`,
    resolveDir: join(assets, "src/judge"),
    loader: "ts",
  },
  bundle: true,
  format: "esm",
  target: "es2022",
  write: false,
});
const code = Buffer.from(bundle.outputFiles[0].contents).toString("base64");
const { matched, sketchOf, hostsOf, Characters, points, NORMALISERS, lower } = await import(`data:text/javascript;base64,${code}`);

const [tables, list, texts, answers] = process.argv.slice(2).map((path, at) => (at < 3 ? JSON.parse(readFileSync(path, "utf8")) : path));
const characters = new Characters(tables);
const told = texts.map((text) => {
  const folded = lower(NORMALISERS[list.normaliser](points(text).slice(0, 5000), characters), characters);
  return { sketch: sketchOf(folded, list.salt, characters), hosts: hostsOf(text.toLowerCase()), standing: matched(list, text, characters)?.standing ?? null };
});
writeFileSync(answers, JSON.stringify(told));
