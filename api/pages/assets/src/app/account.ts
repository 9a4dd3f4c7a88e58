// The account's dialog: who one is, in which language, what one agrees to, and leaving, with or without a trace.
import { h, must, toast } from "../lib/dom";
import { ask } from "./asking";
import { startEncoder } from "./encoder/dialog";
import { forgetChoices, readAsking, writeAsking, type Asking } from "./judge";
import { explain } from "./problems";
import { switchOff, switchOn, wakingOf } from "./push";
import { COUNTRIES } from "../lib/scan-types";
import { forgetEverything, token, waitingLetters } from "./store";
import { call } from "./wire";
import { chooseCountry, chooseLanguage, count, country, language, languages, say } from "./words";

interface Wiring {
  /** Runs once this phone has forgotten the person. */
  forgotten: () => Promise<void>;
  /** Runs once everything is to be said anew. */
  spoken: () => Promise<void>;
  /** Show the scans as they are now. */
  shown: () => Promise<void>;
}

let wiring: Wiring;

/** Make the dialog work. */
export function startAccount(given: Wiring): void {
  wiring = given;
  must("#sign-out").addEventListener("click", () => void signOut());
  must("#consent").addEventListener("change", () => void changeConsent());
  must("#notify").addEventListener("change", () => void changeWaking());
  startEncoder();
  must("#erase").addEventListener("click", () => void erase());
  must("#account-button").addEventListener("click", () => void openAccount());
  must("#account-close").addEventListener("click", () => must<HTMLDialogElement>("#account").close());
  must("#country").addEventListener("change", () => {
    chooseCountry(must<HTMLSelectElement>("#country").value);
    void wiring.spoken();
  });
  for (const choice of document.querySelectorAll<HTMLSelectElement>("select[data-languages]")) {
    // Each language by its own name, marked as such, so that it is read aloud rightly.
    choice.replaceChildren(...languages().map(([code, name]) => h("option", { value: code, lang: code }, name)));
    choice.addEventListener("change", () => void changeLanguage(choice.value));
  }
  must("#asking").addEventListener("change", (event) => void changeAsking((event.target as HTMLInputElement).value as Asking));
  showChoices();
}

async function changeAsking(asking: Asking): Promise<void> {
  await writeAsking(asking);
  toast(say("account.saved"));
  // The answer behind the dialog offers to ask the server, or does no more.
  await wiring.shown();
}

async function changeLanguage(code: string): Promise<void> {
  await chooseLanguage(code);
  showChoices();
  await wiring.spoken();
  if (must<HTMLDialogElement>("#account").open) await showPerson();
}

/** The choices as they stand; countries are named in the language that is shown. */
function showChoices(): void {
  for (const choice of document.querySelectorAll<HTMLSelectElement>("select[data-languages]")) choice.value = language();
  const names = new Intl.DisplayNames(language(), { type: "region" });
  const named = COUNTRIES.map((code): [string, string] => [code, names.of(code) ?? code]).sort((one, other) => one[1].localeCompare(other[1], language()));
  const choice = must<HTMLSelectElement>("#country");
  choice.replaceChildren(h("option", { value: "" }, say("account.countryUnknown")), ...named.map(([code, name]) => h("option", { value: code }, name)));
  choice.value = country();
}

/** Ask the server to forget this person, then forget on the phone too. */
async function erase(): Promise<void> {
  if (!(await ask({ title: say("account.erase"), what: say("account.eraseQuestion"), yes: say("account.erase"), danger: true }))) return;
  try {
    await call((await token.read()) ?? "", "DELETE", "/users/me");
    await forget();
    toast(say("account.erased"));
  } catch (error) {
    toast(explain(error), "bad");
  }
}

async function signOut(): Promise<void> {
  const waiting = (await waitingLetters()).length;
  if (waiting > 0 && !(await ask({ title: say("account.signOut"), what: count("account.signOutQuestion", waiting), yes: say("account.signOut"), danger: true }))) return;
  await forget();
}

async function forget(): Promise<void> {
  // What the server cannot be told now, the push service tells it.
  if (canBeWoken()) await switchOff((await token.read()) ?? "", await navigator.serviceWorker.ready).catch(() => undefined);
  await forgetEverything();
  await forgetChoices().catch((error: unknown) => toast(explain(error), "bad"));
  must<HTMLDialogElement>("#account").close();
  await wiring.forgotten();
}

interface Me {
  subject: string;
  auditConsent: boolean;
}

async function openAccount(): Promise<void> {
  must<HTMLInputElement>(`#asking input[value=${await readAsking()}]`).checked = true;
  must<HTMLDialogElement>("#account").showModal();
  await showPerson();
}

async function showPerson(): Promise<void> {
  const consent = must<HTMLInputElement>("#consent");
  const who = must<HTMLElement>("#who");
  try {
    const me = await call<Me>((await token.read()) ?? "", "GET", "/users/me");
    who.textContent = say("account.who", { name: me.subject });
    consent.checked = me.auditConsent;
    consent.disabled = false;
    await showWaking((await token.read()) ?? "");
  } catch (error) {
    who.textContent = explain(error);
    consent.disabled = true;
  }
}

/** Whether this browser has what it takes; on iOS only once the app is installed. */
function canBeWoken(): boolean {
  return "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
}

async function showWaking(bearer: string): Promise<void> {
  const label = must<HTMLElement>("#notify-label");
  label.hidden = true;
  if (!canBeWoken()) return;
  const waking = await wakingOf(bearer, await navigator.serviceWorker.ready);
  label.hidden = waking === "none";
  must<HTMLInputElement>("#notify").checked = waking === "on";
}

async function changeWaking(): Promise<void> {
  const notify = must<HTMLInputElement>("#notify");
  const wanted = notify.checked;
  try {
    if (wanted && (await Notification.requestPermission()) !== "granted") {
      notify.checked = false;
      return toast(say("account.notifyDenied"), "bad");
    }
    const [bearer, registration] = [(await token.read()) ?? "", await navigator.serviceWorker.ready];
    await (wanted ? switchOn : switchOff)(bearer, registration);
    toast(say("account.saved"));
  } catch (error) {
    notify.checked = !wanted;
    toast(error instanceof DOMException ? say("account.notifyFailed") : explain(error), "bad");
  }
}

async function changeConsent(): Promise<void> {
  const consent = must<HTMLInputElement>("#consent");
  try {
    await call((await token.read()) ?? "", "PUT", "/users/me", { auditConsent: consent.checked });
    toast(say(consent.checked ? "account.consented" : "account.saved"));
  } catch (error) {
    consent.checked = !consent.checked;
    toast(explain(error), "bad");
  }
}
