// The two parts of the library that run in our own worker have no types of their own.
declare module "tesseract.js/src/worker-script" {
  export function dispatchHandlers(packet: unknown, send: (answer: unknown) => void): void;
  export function setAdapter(adapter: {
    getCore: () => Promise<(options: object) => Promise<unknown>>;
    readCache: (path: string) => Promise<Uint8Array | undefined>;
  }): void;
}
declare module "tesseract.js-core/tesseract-core-simd-lstm.js" {
  export default function createCore(options: object): Promise<unknown>;
}
