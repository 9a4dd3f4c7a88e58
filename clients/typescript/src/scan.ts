// The result model: what a scan says, and what may be said of it.
import type { components } from "./generated/api";
import { LABELS, type FeedbackType } from "./generated/labels";

/** One judged message, as the API answers. */
export type Scan = components["schemas"]["ScanRead"];
export type Reason = components["schemas"]["ScanReason"];
export type ScanType = keyof typeof LABELS;
export type FeedbackBody = components["schemas"]["FeedbackRequest"];
export type { FeedbackType };

type Judged = Pick<Scan, "scanType" | "verdict">;

/** Whether the verdict is the one that warns. */
export function isScam(scan: Judged): boolean {
  return LABELS[scan.scanType][1] === scan.verdict;
}

/** Too close to call, or nothing in the text to judge: show it as such, and not as a verdict. */
export function isUnsure(scan: Pick<Scan, "certainty">): boolean {
  return scan.certainty === "unsure";
}

/** The three answers that people are given. */
export type Standing = "scam" | "harmless" | "unsure";

export function standingOf(scan: Judged & Pick<Scan, "certainty">): Standing {
  if (isUnsure(scan)) return "unsure";
  return isScam(scan) ? "scam" : "harmless";
}

/** The claim that somebody makes of a verdict by saying what the message really is. */
export function claimOf(scan: Judged, scam: boolean): FeedbackType {
  if (scam === isScam(scan)) return "confirmed";
  return scam ? "false_negative" : "false_positive";
}

/** The body of `POST /feedback` for what somebody says of a scan. An empty comment is none. */
export function feedbackOn(scan: Judged & Pick<Scan, "id">, scam: boolean, comment = ""): FeedbackBody {
  const words = comment.trim();
  return {
    scanId: scan.id,
    feedbackType: claimOf(scan, scam),
    actualLabel: LABELS[scan.scanType][scam ? 1 : 0],
    ...(words ? { comment: words } : {}),
  };
}

/** What the owner has said of a scan by the server's account of it, or null. */
export function saidOf(scan: Judged & Pick<Scan, "feedback">): boolean | null {
  if (!scan.feedback) return null;
  return scan.feedback.feedbackType === "confirmed" ? isScam(scan) : !isScam(scan);
}
