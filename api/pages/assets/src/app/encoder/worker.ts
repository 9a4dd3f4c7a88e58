// Judges beside the page, by the whole predictor. The response that this script comes in allows WebAssembly and no
// request at all, so that no message can leave the phone by code that is not ours.
import { Whole } from "../../judge/whole";
import type { Answer, Given, Question } from "./given";
import { openScorer } from "./scorer";

declare const self: DedicatedWorkerGlobalScope;

let opened: Promise<Whole>;

async function open({ engine, model, content }: Given): Promise<Whole> {
  return Whole.open(content, await openScorer(engine, model));
}

async function answer(data: Given | Question): Promise<Answer> {
  const id = "id" in data ? data.id : 0;
  try {
    if (!("id" in data)) {
      opened = open(data);
      await opened;
      return { id };
    }
    return { id, judgement: await (await opened).judge(data.text) };
  } catch (error) {
    return { id, problem: error instanceof Error ? error.message : String(error) };
  }
}

let before: Promise<void> = Promise.resolve();
self.addEventListener("message", ({ data }: MessageEvent<Given | Question>) => {
  // The encoder takes one message at a time.
  before = before.then(async () => self.postMessage(await answer(data)));
});
