// The calls of an app, typed by the API's own document.
import createClient, { type Client } from "openapi-fetch";
import { answerOf, problemOf, unreachable } from "./answers";
import type { components, paths } from "./generated/api";
import { ShieldError, Unreachable } from "./problem";
import type { DeviceCounts, DeviceReport, FeedbackBody, Scan, ScanType } from "./scan";

export type Feedback = components["schemas"]["FeedbackRead"];
/** What the server made of a reported message: its own verdict, and whether that is the device's. */
export type DeviceReported = components["schemas"]["DeviceReportRead"];
export type Me = components["schemas"]["MeRead"];
export type Serving = components["schemas"]["ScanTypeRead"];
type Token = string | null | undefined;

export interface ClientOptions {
  /** Where the API is, e.g. `https://shield.example.org`; empty for the page's own origin. */
  baseUrl: string;
  /** The access token, or where it is kept. It is asked for at each call. */
  token?: Token | (() => Token | Promise<Token>);
  /** Languages for reasons and advice, as in `Accept-Language`: `de-AT, en;q=0.5`. Left out, the browser's. */
  language?: string;
  /** How long a call may take. */
  timeoutMilliseconds?: number;
  fetch?: (request: Request) => Promise<Response>;
}

/** One page of a list. */
export interface Page<T> {
  items: T[];
  /** Give it to the next call; null on the last page. */
  nextCursor: string | null;
}

export class ShieldClient {
  /** Every route of the API, typed; answers that are no success are thrown as `Problem`. */
  readonly api: Client<paths>;

  constructor(options: ClientOptions) {
    const send = options.fetch ?? ((request: Request) => fetch(request));
    const patience = options.timeoutMilliseconds ?? 20_000;
    this.api = createClient<paths>({
      baseUrl: options.baseUrl.replace(/\/+$/, "") || (globalThis.location?.origin ?? ""),
      credentials: "omit",
      redirect: "error", // the API never redirects: whoever does is not the API, and gets no token
      // Whoever waits for an answer is told in time that there is none; a caller's own signal ends it sooner.
      fetch: (request) => send(new Request(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(patience)]) })),
    });
    this.api.use({
      onRequest: async ({ request }) => {
        const token = typeof options.token === "function" ? await options.token() : options.token;
        if (token) request.headers.set("Authorization", `Bearer ${token}`);
        if (options.language) request.headers.set("Accept-Language", options.language);
        request.headers.set("Accept", "application/json");
        return request;
      },
      onResponse: ({ response }) => answerOf(response),
      onError: ({ error }) => (error instanceof ShieldError ? error : unreachable(error)),
    });
  }

  /** Judge one message. Nothing is repeated by itself: a scan that may have happened is not asked for twice. */
  async scan(scanType: ScanType, text: string): Promise<Scan> {
    const scan: Scan = data(await this.api.POST("/api/v2/scans", { body: { scanType, text } }));
    // The answer leaves out what was sent; a card shows it.
    return { ...scan, text: scan.text ?? text };
  }

  /** Judge a mail as it was received, with its headers (`.eml`). */
  async scanMail(mail: string): Promise<Scan> {
    return data(await this.api.POST("/api/v2/scans/mail", { body: { mail } }));
  }

  /** Which scan types can be judged now. */
  async scanTypes(): Promise<Serving[]> {
    return data(await this.api.GET("/api/v2/scans/types"));
  }

  /** One's own scans with what became of one's feedback, newest first. */
  async scans(query: { limit?: number; cursor?: string } = {}): Promise<Page<Scan>> {
    const answer = (await this.api.GET("/api/v2/scans", { params: { query } })).data;
    return { items: answer?.data ?? [], nextCursor: answer?.pagination?.nextCursor ?? null };
  }

  /** One of one's own scans, explained. */
  async readScan(scanId: string): Promise<Scan> {
    return data(await this.api.GET("/api/v2/scans/{scan_id}", { params: { path: { scan_id: scanId } } }));
  }

  /**
   * Say what a verdict was worth, now. Apps use an `Outbox` instead, which loses nothing.
   *
   * @param key The `Idempotency-Key`: the same key and body count once, however often they are sent.
   */
  async sendFeedback(body: FeedbackBody, key: string): Promise<Feedback> {
    return data(await this.api.POST("/api/v2/feedback", { body, params: { header: { "Idempotency-Key": key } } }));
  }

  /**
   * Report a verdict of the device, now: the server judges the message again, and keeps it as a scan. Apps use an `Outbox` instead.
   *
   * @param key As for `sendFeedback`.
   */
  async sendDeviceReport(body: DeviceReport, key: string): Promise<DeviceReported> {
    return data(await this.api.POST("/api/v2/device/reports", { body, params: { header: { "Idempotency-Key": key } } }));
  }

  /**
   * Count what was judged on the device, without texts. Apps use `Outbox.count` instead, which draws a quarter by lot and sends whole lots.
   *
   * @param key As for `sendFeedback`.
   */
  async sendDeviceCounts(scanType: ScanType, body: DeviceCounts, key: string): Promise<void> {
    const params = { path: { scan_type: scanType }, header: { "Idempotency-Key": key } };
    data(await this.api.POST("/api/v2/device/{scan_type}/counts", { body, params }));
  }

  async me(): Promise<Me> {
    return data(await this.api.GET("/api/v2/users/me"));
  }

  /** Agree, or no longer, that reviewers look at a few random messages of one's own. */
  async setAuditConsent(auditConsent: boolean): Promise<Me> {
    return data(await this.api.PUT("/api/v2/users/me", { body: { auditConsent } }));
  }

  /** Erase one's messages and feedback on the server. Clear the outbox too. */
  async eraseMe(): Promise<void> {
    await this.api.DELETE("/api/v2/users/me");
  }

  /** Turn a pairing code (`shieldctl token pair`) into a token. The code is used up by it. */
  static async pair(baseUrl: string, code: string, send: typeof fetch = fetch): Promise<string> {
    let response: Response;
    try {
      response = await send(`${baseUrl.replace(/\/+$/, "")}/app/pair`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ code: code.trim() }),
        credentials: "omit",
        redirect: "error",
      });
    } catch (error) {
      throw unreachable(error);
    }
    const { token } = (await (await answerOf(response)).json()) as { token?: string };
    if (!token) throw problemOf(502, response.headers, {});
    return token;
  }
}

function data<T>(answer: { data?: { data?: T | null } }): T {
  const found = answer.data?.data;
  if (found === undefined || found === null) throw new Unreachable("The server's answer cannot be read.");
  return found;
}
