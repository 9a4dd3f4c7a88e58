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
  const given = new URLSearchParams(window.location.hash.slice(1)).get("token")?.trim();
  if (!given) return;
  window.history.replaceState(null, "", window.location.pathname);
  const kept = await token.read();
  if (kept === given) return;
  let theirs: string;
  try {
    theirs = (await call<Me>(given, "GET", "/users/me")).subject;
  } catch (error) {
    const expired = error instanceof Refused && error.status === 401;
    return toast(expired ? "This link is not valid any more. Ask for a new one." : sentence(error), "bad");
  }
  const ours = kept === undefined ? undefined : await nameOf(kept);
  if (ours !== undefined && ours !== theirs) return stay(ours, theirs);
  if (ours === undefined && !(await agreed(theirs))) return;
  await token.write(given);
  await connected();
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
