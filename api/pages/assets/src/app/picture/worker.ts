// Reads text beside the page. The response that this script comes in allows WebAssembly and no request at all, so
// that neither a picture nor its text can leave the phone by code that is not ours.
import createCore from "tesseract.js-core/tesseract-core-simd-lstm.js";
import { dispatchHandlers, setAdapter } from "tesseract.js/src/worker-script";
import type { Given } from "./given";

declare const self: DedicatedWorkerGlobalScope;

let given: Given;
/** What the engine has to say of a picture is no error of ours. */
const quiet = (): void => undefined;

setAdapter({
  getCore: () => Promise.resolve((options) => createCore({ ...options, wasmBinary: given.engine, print: quiet, printErr: quiet })),
  // Asked for `./eng.traineddata`.
  readCache: (path) => Promise.resolve(given.models[path.replace(/^.*\/|\.\w+$/g, "")]),
});

self.addEventListener("message", ({ data }: MessageEvent<Given | object>) => {
  if ("engine" in data) given = data;
  else dispatchHandlers(data, (answer) => self.postMessage(answer));
});

// The library starts its engine without waiting for how that ends: an engine that does not start would be waited for without end.
self.addEventListener("unhandledrejection", (event) => {
  setTimeout(() => {
    throw event.reason;
  });
});
