// Makes dist/: types of the API from src/generated/openapi.json, declarations, and modules that run as they are, in a
// browser without a bundler too. Called by `python -m clients.build`, which writes src/generated first.
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import openapiTS, { astToString } from "openapi-typescript";

const here = dirname(fileURLToPath(import.meta.url));
const at = (...parts) => join(here, ...parts);

const api = JSON.parse(await readFile(at("src/generated/openapi.json"), "utf8"));
const types = astToString(await openapiTS(api, { alphabetize: true, defaultNonNullable: false }));
await writeFile(at("src/generated/api.ts"), `// Generated from the API's OpenAPI document; do not edit.\n/* eslint-disable */\n${types}`);

await rm(at("dist"), { recursive: true, force: true });
await mkdir(at("dist"), { recursive: true });
execFileSync(process.execPath, [at("node_modules/typescript/lib/tsc.js"), "-p", at("tsconfig.json")], { cwd: here, stdio: "inherit" });

const built = await esbuild.build({
  absWorkingDir: here,
  entryPoints: { index: "src/index.ts", elements: "src/elements/index.ts", judge: "src/judge.ts", reasons: "src/reasons.ts" },
  bundle: true,
  splitting: true, // one copy of what both share: an error of one is an error of the other
  format: "esm",
  outdir: "dist",
  target: ["chrome123", "firefox121", "safari17.5", "node20"],
  sourcemap: true,
  metafile: true,
  logLevel: "warning",
});

// Whose code is inside, with the words that its licence asks for.
const packages = new Set(Object.keys(built.metafile.inputs).map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter(Boolean));
const notices = ["# Third-party code in this package\n"];
for (const name of [...packages].sort()) {
  const about = JSON.parse(await readFile(at("node_modules", name, "package.json"), "utf8"));
  notices.push(`## ${name} ${about.version} (${about.license})\n\n${(await readFile(at("node_modules", name, "LICENSE"), "utf8")).trim()}\n`);
}
await writeFile(at("THIRD-PARTY-NOTICES.md"), notices.join("\n"));
await copyFile(at("../../LICENSE"), at("LICENSE"));
