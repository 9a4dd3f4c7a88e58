// The server's clock, as this phone knows it. A phone's own may be wrong by years, and what it asks the server to do up to some time is meant by the
// server's.
import { clockAhead } from "./store";

/** How far the server's clock is ahead of this one, in milliseconds: up to a second and one way of a request too much, never too little. */
let ahead: number | undefined;

/** Learn from an answer: its `Date` (whole seconds), and when it was asked for and came by this phone's clock. */
export async function noteAnswer(date: string | null, sent: number, received: number): Promise<void> {
  const told = Date.parse(date ?? "");
  if (!Number.isFinite(told)) return;
  const known = await readAhead();
  const most = told + 999 - sent;
  if (known !== undefined && known >= told - received && known <= most) return;
  ahead = most;
  await clockAhead.write(String(most));
}

/** Now by the server's clock, in milliseconds since 1970; by this phone's, where no answer has ever told. */
export async function serverNow(): Promise<number> {
  return Date.now() + ((await readAhead()) ?? 0);
}

async function readAhead(): Promise<number | undefined> {
  if (ahead !== undefined) return ahead;
  const kept = await clockAhead.read().catch(() => undefined);
  return (ahead ??= kept === undefined ? undefined : Number(kept));
}
