// The question that a picture without a QR code raises: whether its text is to be read, in which language, and what that loads.
import { h, must, trusted } from "../../lib/dom";
import { missing, obtain, unpacked, type Part } from "../downloads";
import { language, languages, megabytes, remember, remembered, say } from "../words";

/** What reading takes, as the build made it; no languages if it was told to leave this out. */
declare const PICTURES: { script: Part; worker: Part; engine: Part; languages: Record<string, { models: string[] }>; models: Record<string, Part> };

const CHOSEN = "antispam-shield-picture-language";

/** Whether this build can read text in pictures. */
export function canRead(): boolean {
  return Object.keys(PICTURES.languages).length > 0;
}

/** Ask for the language and read. Resolves to the text, "" if there is none, or null if the person has thought better of it. */
export async function readTextOf(picture: Blob): Promise<string | null> {
  const dialog = must<HTMLDialogElement>("#picture");
  const choice = must<HTMLSelectElement>("#picture-language");
  const read = must<HTMLButtonElement>("#picture-read");
  const offered = languages().filter(([code]) => code in PICTURES.languages);
  choice.replaceChildren(...offered.map(([code, name]) => h("option", { value: code, lang: code }, name)));
  choice.value = [remembered(CHOSEN), language(), "en"].find((code) => code in PICTURES.languages) ?? offered[0]![0];
  const ended = new AbortController();
  const listening = { signal: ended.signal };
  choice.addEventListener("change", () => void tellSize(choice.value), listening);
  show("ask");
  await tellSize(choice.value);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => (ended.abort(), resolve(null)), { once: true });
    const start = async (): Promise<void> => {
      remember(CHOSEN, choice.value);
      show("busy");
      try {
        resolve(await readIn(choice.value, picture, ended.signal));
        dialog.close();
      } catch {
        if (ended.signal.aborted) return;
        const loading = must("#picture-stage").textContent === say("picture.loading");
        show("ask");
        must("#picture-problem").textContent = say(loading ? "picture.failed" : "picture.none");
        await tellSize(choice.value);
      }
    };
    read.addEventListener("click", () => void start(), listening);
  });
}

function partsOf(code: string): Part[] {
  const { script, worker, engine } = PICTURES;
  return [script, worker, engine, ...PICTURES.languages[code]!.models.map((model) => PICTURES.models[model]!)];
}

const bytesOf = (parts: Part[]): number => parts.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);

async function tellSize(code: string): Promise<void> {
  const bytes = bytesOf(await missing(partsOf(code)));
  must("#picture-size").textContent = bytes > 0 ? say("picture.size", { size: megabytes(bytes) }) : say("picture.ready");
}

async function readIn(code: string, picture: Blob, signal: AbortSignal): Promise<string> {
  const wanted = bytesOf(await missing(partsOf(code)));
  let here = 0;
  const arrived = (bytes: number): void => tell("picture.loading", (here += bytes) / wanted);
  tell("picture.loading", 0);
  const bytes = async (part: Part): Promise<Uint8Array<ArrayBuffer>> => obtain(part, { arrived, signal });
  // One after the other: what has arrived is kept, should the network go in between.
  await bytes(PICTURES.script);
  await bytes(PICTURES.worker);
  const engine = await unpacked(await bytes(PICTURES.engine));
  const models: Record<string, Uint8Array> = {};
  for (const model of PICTURES.languages[code]!.models) models[model] = await unpacked(await bytes(PICTURES.models[model]!));
  const { readText } = (await import(PICTURES.script.url)) as typeof import("./reader");
  signal.throwIfAborted();
  tell("picture.reading", 0);
  const worker = new Worker(trusted.createScriptURL(PICTURES.worker.url));
  return readText(picture, worker, { engine, models }, { progress: (share) => tell("picture.reading", share), signal });
}

function show(state: "ask" | "busy"): void {
  const busy = state === "busy";
  must<HTMLElement>("#picture-choice").hidden = busy;
  must<HTMLElement>("#picture-work").hidden = !busy;
  must<HTMLElement>("#picture-read").hidden = busy;
  must("#picture-problem").textContent = "";
}

function tell(stage: "picture.loading" | "picture.reading", share: number): void {
  const line = must("#picture-stage");
  // Read aloud once a stage, not with each step.
  if (line.textContent !== say(stage)) line.textContent = say(stage);
  must<HTMLProgressElement>("#picture-progress").value = share;
}
