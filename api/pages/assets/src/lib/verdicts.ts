// What a verdict says, and what may be said of it; also in the npm package.
import { SCAN_TYPES } from "./scan-types";

export type ScanType = keyof typeof SCAN_TYPES;
export type FeedbackType = "false_positive" | "false_negative" | "confirmed";
/** The three answers that people are given. */
export type Standing = "scam" | "harmless" | "unsure";

export interface Judged {
  scanType: ScanType;
  verdict: string;
}

/** Whether the verdict is the one that warns. */
export function isScam(scan: Judged): boolean {
  return SCAN_TYPES[scan.scanType].labels[1] === scan.verdict;
}

/** Too close to call, or nothing in the text to judge: show it as such, and not as a verdict. */
export function isUnsure(scan: { certainty?: string | null }): boolean {
  return scan.certainty === "unsure";
}

/** The one answer that a scan has, whoever judged it: a model, reviewers, afterwards too, or the device. */
export function standingOf(scan: Judged & { certainty?: string | null; revised?: { verdict: string } | null }): Standing {
  if (!scan.revised && isUnsure(scan)) return "unsure";
  return isScam({ ...scan, ...scan.revised }) ? "scam" : "harmless";
}

/** The claim that somebody makes of a verdict by saying what the message really is. */
export function claimOf(scan: Judged, scam: boolean): FeedbackType {
  if (scam === isScam(scan)) return "confirmed";
  return scam ? "false_negative" : "false_positive";
}

/** The label of what somebody says that a message is. */
export function labelOf(scanType: ScanType, scam: boolean): string {
  return SCAN_TYPES[scanType].labels[scam ? 1 : 0];
}

/** What the owner has said of a scan by the server's account of it, or null. */
export function saidOf(scan: Judged & { feedback?: { feedbackType: FeedbackType } | null }): boolean | null {
  if (!scan.feedback) return null;
  return scan.feedback.feedbackType === "confirmed" ? isScam(scan) : !isScam(scan);
}
