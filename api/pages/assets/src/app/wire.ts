// The JSON of /api/v2 that the phone uses; docs/phone.md describes it for the native app.

import { noteAnswer } from "./clock";
import { patience } from "../lib/features";
import { retryAfterSeconds, type Answered } from "../lib/rules";
import type { FeedbackType, ScanType } from "../lib/verdicts";

export type { ScanType };

/** One sentence on why; `kind` says what it speaks of. */
export interface Reason {
  id: string;
  kind: string;
  sentence: string;
}

export interface Scan {
  id: string;
  scanType: ScanType;
  verdict: string;
  confidence: number;
  certainty?: "sure" | "unsure";
  /** Missing in scans that were kept before the server explained them. */
  reasons?: Reason[];
  advice?: { whatToDoNow: string; whoToTell: string | null } | null;
  modelVersion: string;
  /** What is right instead, where people found that this was wrong. */
  revised?: { verdict: string } | null;
  /** Reviewers, where they have decided messages like this one; else the model. */
  decidedBy?: string;
  /** Set where this phone judged by itself, without sending the text anywhere. */
  judgedHere?: boolean;
  /** By the whole predictor, which its owner has loaded. */
  judgedWhole?: boolean;
  createdAt: string;
  text?: string;
  /** What its owner has said of it, and what became of that. */
  feedback?: { feedbackType: FeedbackType; status: "pending" | "approved" | "rejected" } | null;
}

/** What one is told afterwards; the sentences are in the language that was asked for. */
export interface Notice {
  id: string;
  kind: string;
  at: string;
  readAt: string | null;
  /** A later notice about the same message says otherwise. */
  superseded: boolean;
  scanId: string;
  scannedAt: string;
  /** What was found; null while people look again. */
  scam: boolean | null;
  title: string;
  sentence: string;
  peopleSentence: string | null;
  advice: { whatToDoNow: string; whoToTell: string | null } | null;
}

/** Whether messages of a kind can be judged now. */
export interface Serving {
  scanType: ScanType;
  serves: boolean;
}

/** An answer that was not a success, with the problem document's slug and own sentence, if it had them. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly slug = "",
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
  }
}

/** No answer at all: offline, or the server is away. */
export class Unreachable extends Error {}

/** What the rules of sending make of an error of a call. Throws what is a fault of this code. */
export function answered(error: unknown): Answered {
  if (error instanceof Unreachable) return null;
  if (error instanceof Refused) return error;
  throw error;
}

let asked = "";

/** Ask for all sentences in this language (a value of `Accept-Language`). Left alone, the browser says its own. */
export function askIn(acceptLanguage: string): void {
  asked = acceptLanguage;
}

/** An error as the API describes it (RFC 9457). */
export interface Problem {
  type?: string;
  message?: string;
  detail?: string;
}

/** The name of a problem, such as `rate-limited`. */
export function slugOf(problem: Problem): string {
  return problem.type?.split("/").pop() ?? "";
}

export async function call<T>(
  token: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<T> {
  let answer: Response;
  const asking = Date.now();
  try {
    answer = await fetch(`/api/v2${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        Accept: "application/json",
        ...(asked ? { "Accept-Language": asked } : {}),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "omit",
      signal: patience(20_000),
    });
  } catch {
    throw new Unreachable();
  }
  // The sign-in page of a hotel's network answers everything: what was "sent" to it would be lost.
  const ours = answer.status === 204 || /\bjson\b/.test(answer.headers.get("Content-Type") ?? "");
  if (answer.redirected || (!ours && answer.status < 500)) throw new Unreachable();
  // Where it cannot be written, the next answer tells it again.
  void noteAnswer(answer.headers.get("Date"), asking, Date.now()).catch(() => undefined);
  const document = (await answer.json().catch(() => ({}))) as Problem & { data?: T };
  if (!answer.ok) {
    const wait = retryAfterSeconds(answer.headers.get("Retry-After"), Date.now());
    throw new Refused(answer.status, document.message ?? document.detail ?? "", slugOf(document), wait);
  }
  return document.data as T;
}
