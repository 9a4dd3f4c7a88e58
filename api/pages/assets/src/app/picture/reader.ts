// Reading the text in a picture, on the device, by Tesseract. Fetched only when somebody asks for it.
import { createWorker, OEM, PSM, type WorkerOptions } from "tesseract.js";
import type { Given } from "./given";

/** Letters of a message are read best when they are about as large as on a phone's screen of three pixels a point. */
const NARROW = 900;
const WIDE = 2000;
const ENLARGED = 1800;
/** What a phone has memory for, in pixels. A screenshot of a long page is longer than a screen. */
const MOST_PIXELS = 12_000_000;
/** Mean brightness, of 255, below which a picture is light on dark. */
const DARK = 110;

/** A link that goes on in the next line. */
const BROKEN_OFF = /((?:https?:|www\.)\S*[-/._=?&%~])\s*\n\s*/gi;

export interface Reading {
  /** From 0 to 1. */
  progress(share: number): void;
  signal: AbortSignal;
}

/**
 * Return the text in a picture, one line a paragraph; "" if there is none. `worker` runs `worker.ts`, and is ended in any case.
 * Rejects when it is no picture, when the engine fails, and with the signal's reason.
 */
export async function readText(picture: Blob, worker: Worker, given: Given, { progress, signal }: Reading): Promise<string> {
  try {
    return await Promise.race([aborted(signal), read(picture, worker, given, progress)]);
  } finally {
    worker.terminate();
  }
}

async function read(picture: Blob, worker: Worker, given: Given, progress: Reading["progress"]): Promise<string> {
  const prepared = await prepare(picture);
  worker.postMessage(given, [given.engine.buffer, ...Object.values(given.models).map((model) => model.buffer)]);
  const options: Partial<WorkerOptions> & { worker: Worker } = {
    worker, // in place of one that the library would make from an address: see build.mjs
    cacheMethod: "readOnly",
    logger: (said) => said.status === "recognizing text" && progress(said.progress),
    errorHandler: () => undefined, // each call rejects by itself
  };
  const reader = await createWorker(Object.keys(given.models), OEM.LSTM_ONLY, options);
  await reader.setParameters({ tessedit_pageseg_mode: PSM.AUTO });
  const { data } = await reader.recognize(prepared);
  // Where a line ends is the picture's width, not the message's; marks of direction are the library's, not the sender's.
  const text = data.text.replace(/[\u200e\u200f]/g, "");
  const paragraphs = text.split(/\n{2,}/).map((paragraph) => paragraph.replace(BROKEN_OFF, "$1").replace(/\s*\n\s*/g, " ").trim());
  return paragraphs.filter(Boolean).join("\n");
}

/** Dark on light, at a size that is read well. */
async function prepare(picture: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(picture);
  const { width, height } = bitmap;
  const wanted = width < NARROW ? Math.min(3, ENLARGED / width) : Math.min(1, WIDE / width);
  const scale = Math.min(wanted, Math.sqrt(MOST_PIXELS / (width * height)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("There is no canvas.");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  if (brightness(context) < DARK) {
    context.globalCompositeOperation = "difference";
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The picture is too large."))), "image/png"));
}

function brightness(context: CanvasRenderingContext2D): number {
  const { data } = context.getImageData(0, 0, context.canvas.width, context.canvas.height);
  const step = 4 * Math.max(1, Math.floor(data.length / 4 / 20_000));
  let [sum, seen] = [0, 0];
  for (let at = 0; at < data.length; at += step, seen++) sum += 0.3 * data[at]! + 0.59 * data[at + 1]! + 0.11 * data[at + 2]!;
  return sum / seen;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
