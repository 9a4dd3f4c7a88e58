// `/app#token=…` and `/app#code=…`: a link that connects a phone. A fragment is never sent to a server, so the token
// stays out of every log. But anybody can send such a link: what is scanned then goes to an account of theirs. So it
// connects a phone that is not connected yet, after its owner has been told whose account that is; a connected one stays.
import { toast } from "../lib/dom";
import { ask } from "./asking";
import { explain } from "./problems";
import { token } from "./store";
import { call, Refused, slugOf, Unreachable, type Problem } from "./wire";
import { say } from "./words";

interface Me {
  subject: string;
}

/** A code or a token. */
interface Given {
  code?: string | undefined;
  token?: string | undefined;
}

/** Follow the link that opened the page, if it was one; `connected` runs once this phone has a new token. */
export async function followLink(connected: () => Promise<void>): Promise<void> {
  const fragment = new URLSearchParams(window.location.hash.slice(1));
  const code = fragment.get("code")?.trim();
  let given = fragment.get("token")?.trim() || undefined;
  if (!given && !code) return;
  window.history.replaceState(null, "", window.location.pathname);
  if (given && (await token.read()) === given) return;
  try {
    given = await fromLink({ code, token: given });
  } catch (error) {
    return toast(refusal(error, code ? "connect.badCode" : "connect.badLink"), "bad");
  }
  if (given === undefined) return;
  await token.write(given);
  await connected();
}

/** The token that an opened or pasted link brings, if its owner wants that account on this phone; else nothing. */
export async function fromLink({ code, token: brought }: Given): Promise<string | undefined> {
  const kept = await token.read();
  // A code is used up by asking whose it is, so a connected phone leaves it alone.
  if (!brought && kept !== undefined) return stay(await nameOf(kept), say("connect.another"));
  const given = brought ?? (await redeem(code ?? ""));
  const theirs = (await call<Me>(given, "GET", "/users/me")).subject;
  const ours = kept === undefined ? undefined : await nameOf(kept);
  if (ours !== undefined && ours !== theirs) return stay(ours, theirs);
  return ours !== undefined || (await agreed(theirs)) ? given : undefined;
}

/** What to tell somebody whose code, token or link was not taken. */
export function refusal(error: unknown, otherwise: "connect.badCode" | "connect.badLink" | "connect.badToken"): string {
  return error instanceof Refused && [401, 404, 422].includes(error.status) ? say(otherwise) : explain(error);
}

/** The token that a pairing code stands for; the code is worth nothing afterwards. */
export async function redeem(code: string): Promise<string> {
  let answer: Response;
  try {
    answer = await fetch("/app/pair", { method: "POST", headers: { "Content-Type": "application/json", "X-Fragment": "1" }, body: JSON.stringify({ code }), credentials: "omit" });
  } catch {
    throw new Unreachable();
  }
  const document = (await answer.json().catch(() => ({}))) as Problem & { token?: string };
  if (!answer.ok || !document.token) throw new Refused(answer.status, document.message ?? "", slugOf(document));
  return document.token;
}

/** What somebody has typed or pasted: a code, a token, or the whole link that brings one of them. `linked`: somebody else may have sent it. */
export function readGiven(typed: string): Given & { linked?: boolean } {
  const fragment = new URLSearchParams(typed.slice(typed.indexOf("#") + 1));
  const [code, token] = [fragment.get("code"), fragment.get("token")];
  if (token) return { token: token.trim(), linked: true };
  if (code) return { code: code.trim(), linked: true };
  return isCode(typed) ? { code: typed } : { token: typed };
}

/** Whether somebody has typed a code, and no token: groups of five letters and digits, with or without dashes. */
function isCode(given: string): boolean {
  return /^[0-9A-Za-z]{5}(?:[- ]?[0-9A-Za-z]{5}){1,3}$/.test(given);
}

/** Whose token it is: by the server, or, when that no longer knows it, by the token's own words. */
async function nameOf(bearer: string): Promise<string> {
  try {
    return (await call<Me>(bearer, "GET", "/users/me")).subject;
  } catch {
    try {
      const payload = bearer.split(".")[1] ?? "";
      const claims = JSON.parse(atob(payload.replace(/-/g, "+").replace(/_/g, "/"))) as { sub?: string };
      return claims.sub ?? say("connect.another");
    } catch {
      return say("connect.another");
    }
  }
}

async function stay(ours: string, theirs: string): Promise<undefined> {
  await ask({ title: say("connect.stays", { name: ours }), what: say("connect.staysWhy", { name: theirs }) });
}

function agreed(theirs: string): Promise<boolean> {
  return ask({ title: say("connect.question", { name: theirs }), what: say("connect.warning"), yes: say("connect.yes", { name: theirs }) });
}
