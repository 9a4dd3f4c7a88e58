// Sending a form to our own server, and what a refusal says.

/** An answer that was not a success, with the problem document's own sentence and members. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly problem: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

/** Post a form as one of our own pages. Rejects with `Refused`, or with whatever `fetch` fails by. */
export async function send<T>(url: string, csrf: string, form = new FormData()): Promise<Partial<T>> {
  form.set("csrf", csrf);
  let answer: Response;
  try {
    // `keepalive`: a decision leaves even when the tab is closed right after it.
    answer = await fetch(url, { method: "POST", body: form, headers: { "X-Fragment": "1" }, credentials: "same-origin", keepalive: true });
  } catch {
    throw new Error(navigator.onLine ? "The server does not answer." : "You are offline.");
  }
  const body = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
  if (!answer.ok) throw new Refused(answer.status, String(body.message ?? `The server answered ${answer.status}.`), body);
  return body as Partial<T>;
}
