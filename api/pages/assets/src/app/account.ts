// The account's dialog: who one is, what one agrees to, and leaving, with or without a trace.
import { must, sentence, toast } from "../lib/dom";
import { forgetEverything, token, waitingLetters } from "./store";
import { call } from "./wire";

let forgotten: () => Promise<void>;

/** Make the dialog work; `whenForgotten` runs once this phone has forgotten the person. */
export function startAccount(whenForgotten: () => Promise<void>): void {
  forgotten = whenForgotten;
  must("#sign-out").addEventListener("click", () => void signOut());
  must("#consent").addEventListener("change", () => void changeConsent());
  must("#erase").addEventListener("click", () => void erase());
  must("#account-button").addEventListener("click", () => void openAccount());
  must("#account-close").addEventListener("click", () => must<HTMLDialogElement>("#account").close());
}

/** Ask the server to forget this person, then forget on the phone too. */
async function erase(): Promise<void> {
  const question = "Erase all your messages and feedback, here and on the server? This cannot be undone.";
  if (!window.confirm(question)) return;
  try {
    await call((await token.read()) ?? "", "DELETE", "/users/me");
    await forget();
    toast("Your messages and your feedback are erased.");
  } catch (error) {
    toast(sentence(error), "bad");
  }
}

async function signOut(): Promise<void> {
  const waiting = (await waitingLetters()).length;
  const question = `${waiting} feedback ${waiting === 1 ? "item has" : "items have"} not been sent yet. Sign out and lose ${waiting === 1 ? "it" : "them"}?`;
  if (waiting > 0 && !window.confirm(question)) return;
  await forget();
}

async function forget(): Promise<void> {
  await forgetEverything();
  must<HTMLDialogElement>("#account").close();
  await forgotten();
}

interface Me {
  subject: string;
  auditConsent: boolean;
}

async function openAccount(): Promise<void> {
  const consent = must<HTMLInputElement>("#consent");
  const who = must<HTMLElement>("#who");
  must<HTMLDialogElement>("#account").showModal();
  try {
    const me = await call<Me>((await token.read()) ?? "", "GET", "/users/me");
    who.textContent = `Signed in as ${me.subject}.`;
    consent.checked = me.auditConsent;
    consent.disabled = false;
  } catch (error) {
    who.textContent = sentence(error);
    consent.disabled = true;
  }
}

async function changeConsent(): Promise<void> {
  const consent = must<HTMLInputElement>("#consent");
  try {
    await call((await token.read()) ?? "", "PUT", "/users/me", { auditConsent: consent.checked });
    toast(consent.checked ? "Thank you. Some of your messages may be checked by a person." : "Saved.");
  } catch (error) {
    consent.checked = !consent.checked;
    toast(sentence(error), "bad");
  }
}
