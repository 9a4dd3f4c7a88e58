// Judges texts with the phone's whole predictor in node: `node whole.mjs FOLDER TEXTS ANSWERS`. FOLDER holds a
// package, TEXTS a JSON list of strings; ANSWERS gets, for each, [margin, label, certainty, rows of token ids].
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const assets = join(dirname(fileURLToPath(import.meta.url)), "../../api/pages/assets");
const require = createRequire(pathToFileURL(join(assets, "package.json")));
const bundle = require("esbuild").buildSync({
  stdin: {
    contents: 'export { Whole } from "./src/judge/whole"; export { openScorer } from "./src/app/encoder/scorer";',
    resolveDir: assets,
  },
  bundle: true,
  format: "esm",
  platform: "neutral",
  mainFields: ["module", "main"],
  conditions: ["import"],
  external: ["node:*", "module", "worker_threads", "fs", "path"],
  outfile: process.argv[4] + ".bundle.mjs",
});
const { Whole, openScorer } = await import(pathToFileURL(process.argv[4] + ".bundle.mjs"));

const [folder, texts, answers] = process.argv.slice(2);
const read = (name) => new Uint8Array(readFileSync(join(folder, name)));
const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
const linear = manifest.margin?.linear ? read("linear.safetensors") : undefined;
const content = { manifest, tokenizer: read("tokenizer.json"), linear, samples: read("samples.json"), characters: read("characters.json") };
const engine = new Uint8Array(readFileSync(require.resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm"))).slice();
const whole = await Whole.open(content, await openScorer(engine, read("model.int8.onnx")));
const said = [];
for (const text of JSON.parse(readFileSync(texts, "utf8"))) {
  const { margin, label, certainty } = await whole.judge(text);
  said.push([margin, label, certainty, whole.rows(text)]);
}
writeFileSync(answers, JSON.stringify(said));
process.exit(0);
