// Reads mails as JSON from standard input, each in base64; writes what the phone makes of each (text; null: no mail; "too much"; "fault": what the argument `broken` makes of it), the processor time and the counted work.
import { readFileSync, writeFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRequire } from "node:module";

const assets = new URL("../../api/pages/assets/", import.meta.url);
const { buildSync } = createRequire(assets)("esbuild");
const file = join(mkdtempSync(join(tmpdir(), "mails-")), "reader.mjs");
const entryPoints = [new URL("src/app/mail/reader.ts", assets).pathname];
writeFileSync(file, buildSync({ entryPoints, bundle: true, format: "esm", write: false }).outputFiles[0].text);
const { readMail, TooMuch, Work } = await import(file);
const answers = [];
if (process.argv[2] === "broken")
  TextDecoder.prototype.decode = () => {
    throw new Error("fault");
  };
for (const mail of JSON.parse(readFileSync(0, "utf8"))) {
  const work = new Work();
  const began = process.cpuUsage();
  const { text, cut } = await readMail(new Blob([Buffer.from(mail, "base64")]), work).catch((error) => {
    if (error instanceof TooMuch) return { text: "too much", cut: false };
    if (error.message === "fault") return { text: "fault", cut: false };
    throw error;
  });
  const { user, system } = process.cpuUsage(began);
  answers.push({ text, cut, work, seconds: (user + system) / 1e6 });
}
process.stdout.write(JSON.stringify(answers));
