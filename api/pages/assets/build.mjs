// Bundles scripts and styles into ../static/build and writes manifest.json (logical name -> hashed file).
// Called by `python -m api.pages.build`; the only registry it ever sees is the one npm is set up for.
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { initWasm, Resvg } from "@resvg/resvg-wasm";
import * as esbuild from "esbuild";
import { modelFile, pictureLanguages, workerGiven } from "./pictures.mjs";
import { readWords } from "./words.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.env.SHIELD_BUILD_DIR ?? join(here, "../static/build");
const shared = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  target: ["chrome123", "firefox121", "safari17.5"],
  legalComments: "eof",
  logLevel: "warning",
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

const manifest = {};
const hashed = async (name, bytes) => {
  const [stem, extension] = [name.slice(0, name.lastIndexOf(".")), name.slice(name.lastIndexOf("."))];
  const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  manifest[name] = `${stem}-${digest}${extension}`;
  await writeFile(join(out, manifest[name]), bytes);
};

// The phone fetches the table of its reader's language; English is in the script, for when that fails.
const tables = await readWords(join(here, "src/words"), [join(here, "src"), join(here, "../templates")]);
for (const [language, table] of Object.entries(tables)) await hashed(`words-${language}.json`, Buffer.from(JSON.stringify(table)));
const languages = Object.fromEntries(
  Object.entries(tables).map(([language, table]) => [language, { name: table.language, file: `/assets/${manifest[`words-${language}.json`]}` }]),
);

// What the phone explains by is fetched with the first message that it judges, and kept for offline.
await hashed("reasons.json", Buffer.from(JSON.stringify(JSON.parse(await readFile(join(here, "src/reasons.json"), "utf8")))));

// What few people need is fetched when somebody does.
const onDemand = await esbuild.build({ ...shared, entryPoints: { qr: "src/app/qr.ts", mail: "src/app/mail/reader.ts" }, format: "esm", outdir: "bundle", write: false });
for (const file of onDemand.outputFiles) await hashed(basename(file.path), file.contents);

// Reading text in pictures: the library, its worker, its engine and a model per language. Sizes are told before anything is fetched.
const pictures = { languages: pictureLanguages(process.env.SHIELD_PICTURE_LANGUAGES, Object.keys(tables)), models: {} };
const part = (name, bytes, folder = "/assets") => ({ url: `${folder}/${manifest[name]}`, bytes: bytes.length });
if (Object.keys(pictures.languages).length > 0) {
  const built = await esbuild.build({
    ...shared,
    entryPoints: { "picture-reader": "src/app/picture/reader.ts" },
    plugins: [workerGiven],
    format: "esm",
    outdir: "bundle",
    write: false,
  });
  const worker = await esbuild.build({
    ...shared,
    entryPoints: { "picture-worker": "src/app/picture/worker.ts" },
    // Named by the engine for Node alone.
    external: ["fs", "crypto"],
    format: "iife",
    outdir: "bundle",
    write: false,
  });
  const [script] = built.outputFiles;
  const [beside] = worker.outputFiles;
  await hashed("picture-reader.js", script.contents);
  await hashed("picture-worker.js", beside.contents);
  const engine = gzipSync(await readFile(join(here, "node_modules/tesseract.js-core/tesseract-core-simd-lstm.wasm")), { level: 9 });
  await hashed("picture-engine.gz", engine);
  // The worker is under `/app`, where the service worker answers for it without a network.
  Object.assign(pictures, { script: part("picture-reader.js", script.contents), worker: part("picture-worker.js", beside.contents, "/app/pictures"), engine: part("picture-engine.gz", engine) });
  for (const model of new Set(Object.values(pictures.languages).flatMap(({ models }) => models))) {
    const content = await readFile(join(here, modelFile(model)));
    await hashed(`picture-${model}.gz`, content);
    pictures.models[model] = part(`picture-${model}.gz`, content);
  }
}

// Judging by the whole predictor: a worker, and ONNX Runtime for one core of a processor.
const judging = await esbuild.build({
  ...shared,
  entryPoints: { "encoder-worker": "src/app/encoder/worker.ts" },
  // Named by the runtime for Node alone.
  external: ["module", "worker_threads", "node:*", "fs", "path"],
  format: "esm",
  outdir: "bundle",
  write: false,
});
await hashed("encoder-worker.js", judging.outputFiles[0].contents);
const runtime = gzipSync(await readFile(join(here, "node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm")), { level: 9 });
await hashed("encoder-engine.gz", runtime);
const encoder = { worker: part("encoder-worker.js", judging.outputFiles[0].contents, "/app/encoder"), engine: part("encoder-engine.gz", runtime) };

const pages = await esbuild.build({
  ...shared,
  external: ["/assets/*"],
  define: { LANGUAGES: JSON.stringify(languages), ENGLISH: JSON.stringify(tables.en), QR_SCRIPT: JSON.stringify(`/assets/${manifest["qr.js"]}`), MAIL_SCRIPT: JSON.stringify(`/assets/${manifest["mail.js"]}`), REASONS: JSON.stringify(`/assets/${manifest["reasons.json"]}`), PICTURES: JSON.stringify(pictures), ENCODER: JSON.stringify(encoder) },
  entryPoints: { app: "src/app/main.ts", review: "src/review/main.ts", login: "src/login.ts", style: "src/style.css" },
  format: "esm",
  outdir: "bundle",
  write: false,
});
for (const file of pages.outputFiles) await hashed(basename(file.path), file.contents);

// Icons: phones want PNG; the one source is the SVG.
await initWasm(await readFile(join(here, "node_modules/@resvg/resvg-wasm/index_bg.wasm")));
const svg = await readFile(join(here, "src/icon.svg"), "utf8");
await hashed("icon.svg", Buffer.from(svg));
for (const width of [180, 192, 512]) {
  const png = new Resvg(svg, { fitTo: { mode: "width", value: width } }).render().asPng();
  await hashed(`icon-${width}.png`, Buffer.from(png));
}

// The worker comes last: it names what it keeps for offline use, so its bytes change when they do.
const kept = ["app.js", "qr.js", "mail.js", "reasons.json", "style.css", "icon.svg", "icon-192.png", ...Object.keys(tables).map((language) => `words-${language}.json`)];
const shell = kept.map((name) => `/assets/${manifest[name]}`);
const { script, worker: beside, engine, models } = pictures;
const onPhones = [script, beside, engine, ...Object.values(models), encoder.worker, encoder.engine].filter(Boolean).map(({ url }) => url);
const pushWords = Object.fromEntries(
  Object.entries(tables).map(([language, table]) => [language, Object.fromEntries(Object.entries(table).filter(([key]) => key.startsWith("push.")))]),
);
const worker = await esbuild.build({
  ...shared,
  entryPoints: { worker: "src/app/worker.ts" },
  format: "iife",
  outdir: "bundle",
  write: false,
  define: { SHELL: JSON.stringify(shell), SHELL_VERSION: JSON.stringify(shell.join(" ")), ON_DEMAND: JSON.stringify(onPhones), PUSH_WORDS: JSON.stringify(pushWords) },
});
await writeFile(join(out, "worker.js"), worker.outputFiles[0].contents);
await writeFile(join(out, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
