// `/app#token=…`: a link that connects a phone. A fragment is never sent to a server, so the token stays out of
// every log. But anybody can send such a link: what is scanned then goes to an account of theirs. So it connects a
// phone that is not connected yet, after its owner has been told whose account that is; a connected one stays.
import { must, sentence, toast } from "../lib/dom";
import { token } from "./store";
import { call, Refused } from "./wire";

interface Me {
  subject: string;
}

/** Follow the link that opened the page, if it was one; `connected` runs once this phone has a new token. */
export async function followLink(connected: () => Promise<void>): Promise<void> {
  const fragment = new URLSearchParams(window.location.hash.slice(1));
  const code = fragment.get("code")?.trim();
  let given = fragment.get("token")?.trim();
  if (!given && !code) return;
  window.history.replaceState(null, "", window.location.pathname);
  const kept = await token.read();
  if (given && kept === given) return;
  // A code is used up by asking whose it is, so a connected phone leaves it alone.
  if (!given && kept !== undefined) return stay(await nameOf(kept), "another account");
  let theirs: string;
  try {
    given ??= await redeem(code ?? "");
    theirs = (await call<Me>(given, "GET", "/users/me")).subject;
  } catch (error) {
    const expired = error instanceof Refused && error.status === 401;
    return toast(expired && !code ? "This link is not valid any more. Ask for a new one." : sentence(error), "bad");
  }
  const ours = kept === undefined ? undefined : await nameOf(kept);
  if (ours !== undefined && ours !== theirs) return stay(ours, theirs);
  if (ours === undefined && !(await agreed(theirs))) return;
  await token.write(given);
  await connected();
}

/** The token that a pairing code stands for; the code is worth nothing afterwards. */
export async function redeem(code: string): Promise<string> {
  const answer = await fetch("/app/pair", { method: "POST", headers: { "Content-Type": "application/json", "X-Fragment": "1" }, body: JSON.stringify({ code }), credentials: "omit" });
  const document = (await answer.json().catch(() => ({}))) as { token?: string; message?: string };
  if (!answer.ok || !document.token) throw new Refused(answer.status, document.message ?? `The server answered ${answer.status}.`);
  return document.token;
}

/** Whether somebody has typed a code, and no token: ten letters and digits, with or without a dash. */
export function isCode(given: string): boolean {
  return /^[0-9A-Za-z]{5}[- ]?[0-9A-Za-z]{5}$/.test(given);
}

/** Whose token it is: by the server, or, when that no longer knows it, by the token's own words. */
async function nameOf(bearer: string): Promise<string> {
  try {
    return (await call<Me>(bearer, "GET", "/users/me")).subject;
  } catch {
    try {
      const payload = bearer.split(".")[1] ?? "";
      const claims = JSON.parse(atob(payload.replace(/-/g, "+").replace(/_/g, "/"))) as { sub?: string };
      return claims.sub ?? "another account";
    } catch {
      return "another account";
    }
  }
}

function stay(ours: string, theirs: string): void {
  show(`This phone stays with ${ours}`, `The link that you opened belongs to ${theirs}: what you scan would go to that account. If that is what you want, sign out first and open the link again.`, null);
}

function agreed(theirs: string): Promise<boolean> {
  const what = "What you scan here goes to this account, and whoever has it can read it. Go on only if it is yours.";
  return show(`Connect this phone as ${theirs}?`, what, `Connect as ${theirs}`);
}

function show(title: string, what: string, yes: string | null): Promise<boolean> {
  const dialog = must<HTMLDialogElement>("#link");
  must("#link-title").textContent = title;
  must("#link-what").textContent = what;
  const button = must<HTMLButtonElement>("#link-yes");
  button.hidden = yes === null;
  button.textContent = yes ?? "";
  must("#link-no").textContent = yes === null ? "Close" : "Cancel";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}
