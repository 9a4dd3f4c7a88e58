// The result model: what a scan says, and what may be said of it.
import type { components } from "./generated/api";
import { claimOf, labelOf, type Judged } from "./generated/lib/verdicts";

export { claimOf, isScam, isUnsure, saidOf, standingOf, type FeedbackType, type ScanType, type Standing } from "./generated/lib/verdicts";

/** One judged message, as the API answers. */
export type Scan = components["schemas"]["ScanRead"];
export type Reason = components["schemas"]["ScanReason"];
export type FeedbackBody = components["schemas"]["FeedbackRequest"];

/** The body of `POST /feedback` for what somebody says of a scan. An empty comment is none. */
export function feedbackOn(scan: Judged & { id: string }, scam: boolean, comment = ""): FeedbackBody {
  const words = comment.trim();
  return {
    scanId: scan.id,
    feedbackType: claimOf(scan, scam),
    actualLabel: labelOf(scan.scanType, scam),
    ...(words ? { comment: words } : {}),
  };
}
