// The phone's page: sign in, scan, say what you think of the verdict. Works offline except for scanning.
import { must, sentence, toast, trusted } from "../lib/dom";
import { shortcomings, uuid } from "../lib/features";
import { startAccount } from "./account";
import { followLink, isCode, redeem } from "./link";
import { askForOpinion } from "./opinion";
import { channel, deliver, type Delivery } from "./outbox";
import { keepScan, keptScans, mergeScans, post, setOpinion, takeShared, token, waitingLetters, type KeptScan } from "./store";
import { watchServing } from "./serving";
import { resultCard, scanRow } from "./view";
import { SCAN_TYPES } from "./scan-types";
import { call, claimOf, isScam, Refused, Unreachable, type Scan, type ScanType } from "./wire";

const form = must<HTMLFormElement>("#scan-form");
const field = must<HTMLTextAreaElement>("#message");
const button = must<HTMLButtonElement>("#scan");
/** A message that was begun outlives a reload, and a phone that threw the page out of its memory. */
const FIELD = "antispam-shield-message";
let current: string | null = null;
const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");
let retry: number | undefined;

async function start(): Promise<void> {
  // A tap that does nothing and says nothing looks like one that was taken.
  window.addEventListener("unhandledrejection", (event) => toast(sentence(event.reason), "bad"));
  if ("serviceWorker" in navigator) {
    const url = trusted.createScriptURL("/app/worker.js");
    navigator.serviceWorker.register(url, { scope: "/app" }).catch(() => undefined);
  }
  must("#pair-form").addEventListener("submit", pair);
  startAccount(async () => {
    current = null;
    window.sessionStorage.removeItem(FIELD);
    field.value = "";
    must("#result").replaceChildren();
    await showSignedIn();
  });
  form.addEventListener("submit", scan);
  form.addEventListener("change", describeKind);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  window.addEventListener("online", () => void flush());
  window.addEventListener("offline", () => void showConnection());
  channel.addEventListener("message", () => void showScans());
  describeKind();
  field.addEventListener("input", () => window.sessionStorage.setItem(FIELD, field.value));
  field.value = (await takeShared()) || (window.sessionStorage.getItem(FIELD) ?? "");
  const lacking = shortcomings();
  must<HTMLElement>("#lacking").hidden = lacking.length === 0;
  must("#lacking").textContent = window.isSecureContext ? lacking.join(" ") : `This page was not opened over HTTPS. ${lacking.join(" ")}`;
  await showSignedIn();
  window.addEventListener("hashchange", () => void followLink(begin));
  await followLink(begin);
  await flush();
  await catchUp();
}

/** A phone that has just been connected. */
async function begin(): Promise<void> {
  must("#pair-problem").textContent = "";
  await showSignedIn();
  field.focus();
  await flush();
  await catchUp();
}

/** What the server knows: scans of another phone, and what reviewers have decided meanwhile. */
async function catchUp(): Promise<void> {
  const bearer = await token.read();
  if (bearer === undefined) return;
  try {
    await mergeScans(await call<Scan[]>(bearer, "GET", "/scans?limit=30"));
    await showScans();
  } catch (error) {
    // Offline, or the server is away: what is kept is shown, and the next start asks again.
    if (error instanceof Refused && error.status === 401) await askToSignInAgain();
    else if (!(error instanceof Unreachable || error instanceof Refused)) throw error;
  }
}

async function showSignedIn(): Promise<void> {
  const signedIn = (await token.read()) !== undefined;
  must<HTMLElement>("#pairing").hidden = signedIn;
  must<HTMLElement>("#scanner").hidden = !signedIn;
  must<HTMLElement>("#account-button").hidden = !signedIn;
  if (signedIn) {
    await showScans();
    void watchServing(token.read, describeKind);
  }
  await showConnection();
}

async function pair(event: Event): Promise<void> {
  event.preventDefault();
  const typed = must<HTMLInputElement>("#pair-token").value.trim();
  const problem = must<HTMLElement>("#pair-problem");
  try {
    const given = isCode(typed) ? await redeem(typed) : typed;
    await call(given, "GET", "/users/me");
    await token.write(given);
    await begin();
  } catch (error) {
    problem.textContent =
      error instanceof Refused && error.status === 401 && !isCode(typed)
        ? "This token is not valid. Copy it again from where it was printed."
        : sentence(error);
  }
}

function kind(): ScanType {
  return new FormData(form).get("scanType") as ScanType;
}

function describeKind(): void {
  field.placeholder = SCAN_TYPES[kind()].prompt;
}

async function scan(event: Event): Promise<void> {
  event.preventDefault();
  const text = field.value.trim();
  if (!text) {
    field.focus();
    return toast("Paste a message first.", "bad");
  }
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    const answer = await call<Scan>((await token.read()) ?? "", "POST", "/scans", { scanType: kind(), text });
    const kept = { ...answer, text };
    await keepScan(kept);
    current = kept.id;
    field.value = "";
    window.sessionStorage.removeItem(FIELD);
    await showScans();
    must<HTMLElement>("#result h2").focus({ preventScroll: true });
    must<HTMLElement>("#result").scrollIntoView({ block: "nearest", behavior: CALM.matches ? "auto" : "smooth" });
  } catch (error) {
    if (error instanceof Refused && error.status === 401) await askToSignInAgain();
    else if (error instanceof Unreachable) toast("You are offline. Your message stays here; scan it when the network is back.", "bad");
    else toast(sentence(error), "bad");
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
    await showConnection();
  }
}

async function askToSignInAgain(): Promise<void> {
  must<HTMLElement>("#pairing").hidden = false;
  must<HTMLElement>("#pair-problem").textContent = "Your access has expired. Enter a new token; nothing on this phone is lost.";
  must<HTMLInputElement>("#pair-token").focus();
}

async function showScans(): Promise<void> {
  const scans = await keptScans();
  const shown = scans.find((each) => each.id === current);
  const actions = { agree, object: (each: KeptScan) => void object(each).catch(refuseAloud) };
  if (shown) must("#result").replaceChildren(resultCard(shown, actions));
  const others = scans.filter((each) => each.id !== current);
  must<HTMLElement>("#recent").hidden = others.length === 0;
  must<HTMLElement>("#welcome").hidden = scans.length > 0;
  must("#recent-list").replaceChildren(...others.map((each) => scanRow(each, open)));
}

function open(scan: KeptScan): void {
  current = scan.id;
  void showScans().then(() => must<HTMLElement>("#result h2").focus());
}

function agree(scan: KeptScan): void {
  void say(scan, isScam(scan)).catch(refuseAloud);
}

/** A tap is kept, or refused aloud. */
function refuseAloud(error: unknown): void {
  toast(`This could not be kept: ${sentence(error)}`, "bad");
}

async function object(scan: KeptScan): Promise<void> {
  const answer = await askForOpinion(scan);
  if (answer) await say(scan, answer.scam, answer.comment);
}

/** Feedback always goes through the outbox, online or not: one way, and a repeated tap counts once. */
async function say(scan: KeptScan, scam: boolean, comment = ""): Promise<void> {
  await post({
    key: uuid(),
    writtenAt: Date.now(),
    scam,
    body: {
      scanId: scan.id,
      feedbackType: claimOf(scan, scam),
      actualLabel: SCAN_TYPES[scan.scanType].labels[scam ? 1 : 0],
      ...(comment ? { comment } : {}),
    },
  });
  await setOpinion(scan.id, { state: "waiting", scam, ...(comment ? { comment } : {}) });
  await showScans();
  const delivery = await flush();
  if (delivery.sent > 0) toast("Thanks for your feedback!");
  else if (delivery.failed === 0) toast("Thanks for your feedback! It is kept and sent when you are online again.");
}

/** Send what waits; when that must be later, ask the browser to wake us, or try again by ourselves. */
async function flush(): Promise<Delivery> {
  const delivery = await deliver();
  if (delivery.sent + delivery.failed > 0) await showScans();
  if (delivery.signedOut) await askToSignInAgain();
  if (delivery.failed > 0) toast("The server refused a feedback. The scan says why.", "bad");
  window.clearTimeout(retry);
  if (delivery.waiting > 0 && !delivery.signedOut) {
    retry = window.setTimeout(() => void flush(), 1000 * (delivery.retryAfterSeconds ?? 30));
    const registration = await navigator.serviceWorker?.getRegistration("/app");
    const sync = (registration as unknown as { sync?: { register(tag: string): Promise<void> } } | undefined)?.sync;
    await sync?.register("feedback").catch(() => undefined);
  }
  await showConnection();
  return delivery;
}

async function showConnection(): Promise<void> {
  const waiting = (await waitingLetters()).length;
  const banner = must<HTMLElement>("#connection");
  const letters = `${waiting} feedback ${waiting === 1 ? "item waits" : "items wait"} to be sent.`;
  const text = [navigator.onLine ? "" : "You are offline.", waiting > 0 ? letters : ""].filter(Boolean).join(" ");
  banner.hidden = text === "";
  banner.textContent = text;
}

void start();
