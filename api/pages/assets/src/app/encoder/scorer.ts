// The encoder of a package, run by ONNX Runtime on one core: token ids to log odds.
import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import type { Scorer } from "../../judge/whole";

/** Open `model.int8.onnx`; `engine` is the WebAssembly of the runtime. Rejects where it is no such model. */
export async function openScorer(engine: Uint8Array<ArrayBuffer>, model: Uint8Array): Promise<Scorer> {
  env.logLevel = "error";
  env.wasm.numThreads = 1;
  env.wasm.wasmBinary = engine.buffer;
  const session = await InferenceSession.create(model, { executionProviders: ["wasm"] });
  return async (row) => {
    const shape = [1, row.length];
    const { logits } = await session.run({
      input_ids: new Tensor("int64", BigInt64Array.from(row, BigInt), shape),
      attention_mask: new Tensor("int64", new BigInt64Array(row.length).fill(1n), shape),
    });
    const [harmless, scam] = logits!.data as Float32Array;
    return scam! - harmless!;
  };
}
