// Reads mails as JSON from standard input, each in base64; writes what the phone makes of each, and the processor time.
import { readFileSync, writeFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRequire } from "node:module";

const assets = new URL("../../api/pages/assets/", import.meta.url);
const { buildSync } = createRequire(assets)("esbuild");
const file = join(mkdtempSync(join(tmpdir(), "mails-")), "reader.mjs");
const entryPoints = [new URL("src/app/mail/reader.ts", assets).pathname];
writeFileSync(file, buildSync({ entryPoints, bundle: true, format: "esm", write: false }).outputFiles[0].text);
const { readMail } = await import(file);
const answers = [];
for (const mail of JSON.parse(readFileSync(0, "utf8"))) {
  const began = process.cpuUsage();
  const text = await readMail(new Uint8Array(Buffer.from(mail, "base64")));
  const { user, system } = process.cpuUsage(began);
  answers.push({ text, seconds: (user + system) / 1e6 });
}
process.stdout.write(JSON.stringify(answers));
