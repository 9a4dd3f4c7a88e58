// What the page gives its worker before the library speaks to it.

/** Everything that reading takes, as bytes: the worker can fetch nothing by itself. */
export interface Given {
  engine: Uint8Array;
  /** The library's code of a language, e.g. `eng`, -> its model. */
  models: Record<string, Uint8Array>;
}
