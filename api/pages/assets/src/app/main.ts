// The phone's page: connect, scan, say what you think of the answer. Works offline except for asking the server.
import { must, toast, trusted } from "../lib/dom";
import { shortcomings } from "../lib/features";
import { startAccount } from "./account";
import { channel } from "./outbox";
import { deleting, flush, startFeedback } from "./feedback";
import { clearDraft, describeKind, focusField, startInput } from "./input";
import { followReleases } from "./judge";
import { followLink, fromLink, readGiven, redeem, refusal } from "./link";
import { explain } from "./problems";
import { askAboutScan, scanDraft } from "./scanning";
import { keepOn } from "./push";
import { fetchInbox, showInbox, startInbox } from "./inbox";
import { back, clearAnswer, open, startScreens, showScans, type Screens } from "./screens";
import { showServing, watchServing } from "./serving";
import { mergeScans, token, waitingLetters } from "./store";
import { askIn, call, Refused, Unreachable, type Scan } from "./wire";
import { acceptLanguage, count, findLanguage, say } from "./words";

const screens: Screens = { ...deleting, scanAgain: () => void scanDraft(askToConnectAgain), askServer: (scanId) => void askAboutScan(scanId, askToConnectAgain), signIn: () => void askToConnectAgain() };

async function start(): Promise<void> {
  // A tap that does nothing and says nothing looks like one that was taken.
  window.addEventListener("unhandledrejection", (event) => toast(explain(event.reason), "bad"));
  if ("serviceWorker" in navigator) {
    const url = trusted.createScriptURL("/app/worker.js");
    navigator.serviceWorker.register(url, { scope: "/app" }).catch(() => undefined);
    navigator.serviceWorker.addEventListener("message", (event) => void woken(event.data));
  }
  await findLanguage();
  askIn(acceptLanguage());
  must("#pair-form").addEventListener("submit", (event) => void pair(event));
  must("#scan-form").addEventListener("submit", (event) => {
    event.preventDefault();
    void scanDraft(askToConnectAgain).finally(showConnection);
  });
  startAccount({ forgotten, spoken, shown: showScans });
  startScreens(screens);
  startInbox({ open: (scan) => void open(scan), read: catchUp });
  startFeedback({ shown: showScans, connection: showConnection, signedOut: askToConnectAgain });
  window.addEventListener("online", () => void flush().then(followReleases).then(catchUp));
  // Installed, the app is rarely opened anew: it comes back from the background, where its timers stood still.
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void Promise.all([followReleases(), catchUp()]));
  window.addEventListener("offline", () => void showConnection());
  channel.addEventListener("message", () => void showScans());
  await startInput();
  showLacking();
  describeKind();
  await showConnected();
  window.addEventListener("hashchange", () => void followLink(begin));
  await followLink(begin);
  await flush();
  await catchUp();
  void stayAwake();
}

/** A phone that has just been connected. */
async function begin(): Promise<void> {
  must("#pair-problem").textContent = "";
  await showConnected();
  focusField();
  await flush();
  await catchUp();
}

async function forgotten(): Promise<void> {
  clearDraft();
  clearAnswer();
  await showConnected();
}

/** Another language or country: everything is said anew, what the server explains too. */
async function spoken(): Promise<void> {
  askIn(acceptLanguage());
  showLacking();
  describeKind();
  showServing();
  await showConnection();
  await showScans();
  await catchUp();
}

/** What the server knows: scans of another phone, what reviewers have decided meanwhile, and what one is told of it. */
async function catchUp(): Promise<void> {
  const bearer = await token.read();
  if (bearer === undefined) return;
  try {
    await mergeScans(await call<Scan[]>(bearer, "GET", "/scans?limit=30"));
    await showScans();
    await fetchInbox(bearer);
    await showInbox();
  } catch (error) {
    // Offline, or the server is away: what is kept is shown, and the next start asks again.
    if (error instanceof Refused && error.status === 401) await askToConnectAgain();
    else if (!(error instanceof Unreachable || error instanceof Refused)) throw error;
  }
}

/** The service worker was woken for news, or its notification was tapped. */
async function woken(what: unknown): Promise<void> {
  if (what === "inbox") back();
  await catchUp();
}

/** If this phone is to be woken: see to it that it can be. */
async function stayAwake(): Promise<void> {
  const bearer = await token.read();
  if (bearer === undefined || !("serviceWorker" in navigator)) return;
  // Whatever hinders it now, the next start tries again.
  await keepOn(bearer, await navigator.serviceWorker.ready).catch(() => undefined);
}

async function showConnected(): Promise<void> {
  const connected = (await token.read()) !== undefined;
  must<HTMLElement>("#pairing").hidden = connected;
  must<HTMLElement>("#scanner").hidden = !connected;
  must<HTMLElement>("#account-button").hidden = !connected;
  if (connected) {
    await showScans();
    await showInbox();
    void watchServing(token.read, describeKind);
    void followReleases();
  }
  await showConnection();
}

async function pair(event: Event): Promise<void> {
  event.preventDefault();
  const { linked, ...brought } = readGiven(must<HTMLInputElement>("#pair-token").value.trim());
  const { code, token: typed } = brought;
  must<HTMLElement>("#pair-problem").textContent = "";
  try {
    const given = linked ? await fromLink(brought) : code ? await redeem(code) : (typed ?? "");
    if (given === undefined) return;
    await call(given, "GET", "/users/me");
    await token.write(given);
    must<HTMLInputElement>("#pair-token").value = "";
    await begin();
  } catch (error) {
    must<HTMLElement>("#pair-problem").textContent = refusal(error, code ? "connect.badCode" : "connect.badToken");
  }
}

async function askToConnectAgain(): Promise<void> {
  must<HTMLElement>("#pairing").hidden = false;
  must<HTMLElement>("#pair-problem").textContent = say("connect.expired");
  must<HTMLInputElement>("#pair-token").focus();
}

function showLacking(): void {
  const lacking = shortcomings().map((key) => say(key));
  must<HTMLElement>("#lacking").hidden = lacking.length === 0;
  must("#lacking").textContent = (window.isSecureContext ? lacking : [say("lack.https"), ...lacking]).join(" ");
}

async function showConnection(): Promise<void> {
  const waiting = (await waitingLetters()).length;
  const banner = must<HTMLElement>("#connection");
  const text = [navigator.onLine ? "" : say("offline"), waiting > 0 ? count("waiting", waiting) : ""].filter(Boolean).join(" ");
  banner.hidden = text === "";
  banner.textContent = text;
}

void start();
