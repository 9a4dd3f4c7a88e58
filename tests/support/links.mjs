// Reads texts as JSON from standard input; writes each without its links, and the processor time that it took.
import { readFileSync, writeFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRequire } from "node:module";

const assets = new URL("../../api/pages/assets/", import.meta.url);
const { buildSync } = createRequire(assets)("esbuild");
const file = join(mkdtempSync(join(tmpdir(), "links-")), "links.mjs");
const entryPoints = [new URL("src/lib/links.ts", assets).pathname];
writeFileSync(file, buildSync({ entryPoints, bundle: true, format: "esm", write: false }).outputFiles[0].text);
const { withoutLinks } = await import(file);
const answers = JSON.parse(readFileSync(0, "utf8")).map((text) => {
  const began = process.cpuUsage();
  const cut = withoutLinks(text, "[link]");
  const { user, system } = process.cpuUsage(began);
  return { cut, seconds: (user + system) / 1e6 };
});
process.stdout.write(JSON.stringify(answers));
