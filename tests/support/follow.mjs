// Follows releases with the phone's code in node: `node follow.mjs STEPS ANSWERS`. STEPS is a JSON object: `pins`,
// `steps` (each with `release` and `files`, base64 by digest/name; missing: the network is away) and `webcrypto` (false:
// as on plain http). ANSWERS gets, for each step, what the phone keeps, or the error that left it as it was.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const assets = join(dirname(fileURLToPath(import.meta.url)), "../../api/pages/assets");
const require = createRequire(pathToFileURL(join(assets, "package.json")));
const bundle = require("esbuild").buildSync({
  entryPoints: [join(assets, "src/judge/update.ts")],
  absWorkingDir: assets,
  bundle: true,
  format: "esm",
  target: "es2022",
  write: false,
});
const code = Buffer.from(bundle.outputFiles[0].contents).toString("base64");
const { followed, EMPTY } = await import(`data:text/javascript;base64,${code}`);

const { pins, steps, webcrypto } = JSON.parse(readFileSync(process.argv[2], "utf8"));
if (!webcrypto) Object.defineProperty(globalThis, "crypto", { value: undefined });
const told = [];
let shelf = EMPTY;
for (const { release, files } of steps) {
  let fetched = 0;
  const network = {
    async release() {
      if (!release) throw new Error("away");
      return release;
    },
    async file(_scanType, digest, name) {
      fetched += 1;
      const file = files[`${digest}/${name}`];
      if (file === undefined) throw new Error("away");
      return new Uint8Array(Buffer.from(file, "base64"));
    },
  };
  let error = null;
  try {
    shelf = await followed(shelf, "text", network, pins);
  } catch (fault) {
    error = `${fault.constructor.name}: ${fault.message}`;
  }
  const names = [shelf.current, shelf.former].map((kept) => kept?.release.version ?? null);
  told.push({ number: shelf.number, current: names[0], former: names[1], fetched, error });
}
writeFileSync(process.argv[3], JSON.stringify(told));
