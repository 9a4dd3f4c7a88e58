// The field and what fills it: typing, the clipboard, a file, or what another app has shared.
import { h, icon, must, toast } from "../lib/dom";
import { readFile } from "./files";
import { takeShared } from "./store";
import type { ScanType } from "./wire";
import { say } from "./words";

/** What is about to be scanned. */
export interface Draft {
  scanType: ScanType;
  text: string;
  /** It was read from a saved mail: nobody has typed or seen it here. */
  fromMail: boolean;
}

/** A message that was begun outlives a reload, and a phone that threw the page out of its memory. */
const FIELD = "antispam-shield-message";

const form = must<HTMLFormElement>("#scan-form");
const field = must<HTMLTextAreaElement>("#message");
let mail: { name: string; text: string } | null = null;
/** Counts what was put in: a file takes time to read, and something newer may have come meanwhile. */
let turn = 0;

/** Make the field work; what was begun or shared is in it afterwards. */
export async function startInput(): Promise<void> {
  form.addEventListener("change", describeKind);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  field.addEventListener("input", () => {
    turn += 1;
    window.sessionStorage.setItem(FIELD, field.value);
  });
  const file = must<HTMLInputElement>("#file");
  must("#pick").addEventListener("click", () => file.click());
  file.addEventListener("change", () => {
    const [picked] = file.files ?? [];
    if (picked) void take(picked);
    file.value = ""; // or the same file could not be picked again
  });
  const paste = must<HTMLButtonElement>("#paste");
  paste.hidden = typeof navigator.clipboard?.readText !== "function";
  paste.addEventListener("click", () => void pasteText());
  const shared = await takeShared();
  field.value = window.sessionStorage.getItem(FIELD) ?? "";
  if (shared instanceof File) await take(shared);
  else if (shared) fill(shared);
}

/** What is there to be scanned, or null if there is nothing. */
export function draft(): Draft | null {
  if (mail) return { scanType: "phishing", text: mail.text, fromMail: true };
  const text = field.value.trim();
  return text ? { scanType: kind(), text, fromMail: false } : null;
}

/** Empty the field of this draft, once it is kept elsewhere; of any, where none is named. What came meanwhile stays. */
export function clearDraft(scanned?: Draft): void {
  if (scanned && draft()?.text !== scanned.text) return;
  turn += 1;
  fill("");
  attach(null);
}

export function focusField(): void {
  field.focus();
}

export function describeKind(): void {
  field.placeholder = say(`prompt.${kind()}`);
  if (mail) attach(mail);
}

function kind(): ScanType {
  return new FormData(form).get("scanType") as ScanType;
}

function fill(text: string): void {
  field.value = text;
  if (text) window.sessionStorage.setItem(FIELD, text);
  else window.sessionStorage.removeItem(FIELD);
}

async function pasteText(): Promise<void> {
  try {
    const mine = ++turn;
    const text = await navigator.clipboard.readText();
    if (mine === turn) fill(text);
    focusField();
  } catch {
    toast(say("input.pasteFailed"), "bad");
    focusField();
  }
}

async function take(file: File): Promise<void> {
  const mine = ++turn;
  const read = await readFile(file);
  // Another file was picked, or something typed, while this one was read.
  if (mine !== turn) return;
  if (read.kind === "nothing") return focusField();
  if (read.kind === "problem") return toast(read.sentence, "bad");
  if (read.kind === "mail") {
    attach(read);
    if (read.note) toast(read.note);
    return;
  }
  attach(null);
  fill(read.text);
  const choice = read.scanType && document.querySelector<HTMLInputElement>(`input[name=scanType][value=${read.scanType}]`);
  if (choice && !choice.closest("label")?.hidden) choice.checked = true;
  describeKind();
  if (read.note) toast(read.note);
}

/** Show a mail instead of the field, or the field again. */
function attach(given: { name: string; text: string } | null): void {
  mail = given;
  const line = must<HTMLElement>("#attached");
  line.hidden = mail === null;
  field.hidden = mail !== null;
  must<HTMLFieldSetElement>(".segments", form).hidden = mail !== null;
  if (mail)
    line.replaceChildren(icon("link"), h("span", { dir: "auto" }, say("file.mail", { name: mail.name })), h("button", { type: "button", class: "quiet", onclick: () => (attach(null), focusField()) }, say("file.remove")));
}
