// What the elements are given: a scan as an API or a device has judged it, and where feedback on it is kept.
import type { FeedbackType, Judged } from "../lib/verdicts";

export interface ShownScan extends Judged {
  id: string;
  certainty?: "sure" | "unsure" | null;
  /** What is right instead, where people found that the verdict was wrong. */
  revised?: { verdict: string } | null;
  /** `reviewers` where they have decided messages like this one. */
  decidedBy?: string | null;
  /** The device has judged by itself, and the text has not been sent. */
  judgedHere?: boolean;
  /** Then, the person has chosen that no message is sent: the server is not offered. */
  staysHere?: boolean;
  /** Then, what its own judge has said, where something else has answered (known scams, the whole predictor). It is what is reported. */
  judgeSaid?: { verdict: string; certainty: "sure" | "unsure" };
  /** The device has judged as exactly as the server does. */
  judgedWhole?: boolean;
  /** The weightiest first. */
  reasons?: readonly { kind: string; sentence: string }[] | null;
  advice?: { whatToDoNow: string; whoToTell?: string | null } | null;
  modelVersion: string;
  createdAt?: string;
  text?: string | null;
  feedback?: { feedbackType: FeedbackType; status: string } | null;
}

/** Where the feedback on one scan stands, as this device knows it. */
export interface Feedbacked {
  scanId: string;
  /** `waiting`: kept here. `signed-out`: kept, and nothing is sent before there is a new token. */
  state: "sending" | "waiting" | "signed-out" | "sent" | "failed" | "approved" | "rejected";
  scam: boolean;
  comment: string;
  /** Why the server refused it, in words for people. */
  message?: string;
}

/** Where feedback is kept until it is sent. May tell of changes by `change` events with a member `feedback`. */
export interface FeedbackBox extends EventTarget {
  /** Where the feedback on a scan stands; null where this device knows of none. */
  feedbackOf(scanId: string): Promise<Feedbacked | null>;
  /** Resolves once it is kept: from then on it cannot be lost. */
  say(scan: ShownScan, scam: boolean, comment: string): Promise<void>;
}
