// Telling what an HTTP answer means: the data, a problem of the API, or no answer of the API at all.
import { retryAfterSeconds } from "./generated/lib/rules";
import { BY_SLUG, BY_STATUS, Unavailable } from "./generated/problems";
import { Problem, Unreachable } from "./problem";

/** Turn an answer that was not a success into its error. */
export function problemOf(status: number, headers: Headers, body: unknown, now = Date.now()): Problem {
  const document = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const slug = String(document.type ?? "").replace(/^.*\/problems\//, "");
  const kind = BY_SLUG[slug] ?? BY_STATUS[status] ?? (status >= 500 ? Unavailable : Problem);
  const words = [document.message, document.detail, document.title].find((word) => typeof word === "string" && word !== "");
  const message = (words as string | undefined) ?? `The server answered ${status}.`;
  return new kind(message, status, slug, retryAfterSeconds(headers.get("Retry-After"), now), document);
}

/**
 * Return the answer if it is one of the API; throw what it means otherwise.
 *
 * A success that is no JSON is none: a hotel's sign-in page answers 200 to everything, and feedback that was
 * "sent" to it would be lost.
 */
export async function answerOf(response: Response): Promise<Response> {
  const json = /\bjson\b/.test(response.headers.get("Content-Type") ?? "");
  if (response.ok && json) return response;
  if (response.ok) throw new Unreachable("Something else answered in the server's place, perhaps a network that asks you to sign in first.");
  throw problemOf(response.status, response.headers, json ? await response.json().catch(() => ({})) : {});
}

/** What `fetch` throws without an answer. */
export function unreachable(cause: unknown): Unreachable {
  return new Unreachable("No connection to the server.", { cause });
}
