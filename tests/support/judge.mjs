// Judges texts with the phone's code in node: `node judge.mjs FOLDER TEXTS ANSWERS`. FOLDER holds a device package,
// TEXTS a JSON list of strings; ANSWERS gets, for each, [margin, label, certainty, confidence].
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const assets = join(dirname(fileURLToPath(import.meta.url)), "../../api/pages/assets");
const require = createRequire(pathToFileURL(join(assets, "package.json")));
const bundle = require("esbuild").buildSync({
  entryPoints: [join(assets, "src/judge/model.ts")],
  bundle: true,
  format: "esm",
  target: "es2022",
  write: false,
});
const code = Buffer.from(bundle.outputFiles[0].contents).toString("base64");
const { openJudge } = await import(`data:text/javascript;base64,${code}`);

const [folder, texts, answers] = process.argv.slice(2);
const read = (name) => new Uint8Array(readFileSync(join(folder, name)));
const manifest = JSON.parse(readFileSync(join(folder, "device.json"), "utf8"));
const judge = openJudge(manifest, read("device.safetensors"), read("characters.json"));
const said = JSON.parse(readFileSync(texts, "utf8")).map((text) => {
  const { margin, label, certainty, confidence } = judge.judge(text);
  return [margin, label, certainty, confidence];
});
writeFileSync(answers, JSON.stringify(said));
