// The result model: what a scan says, and what may be said of it.
import type { components } from "./generated/api";
import { saying } from "./generated/lib/letters";
import type { Judged } from "./generated/lib/verdicts";

export { claimOf, isScam, isUnsure, saidOf, standingOf, type FeedbackType, type ScanType, type Standing } from "./generated/lib/verdicts";

/** One judged message, as the API answers. */
export type Scan = components["schemas"]["ScanRead"];
export type Reason = components["schemas"]["ScanReason"];
export type FeedbackBody = components["schemas"]["FeedbackRequest"];
export type { Answerable, DeviceOpinion, OnServer } from "./generated/lib/letters";
/** What somebody says of a verdict of the device, with the message: the server judges it again. */
export type DeviceReport = components["schemas"]["DeviceReport"];
/** Counts of what the device has said, without texts. */
export type DeviceCounts = components["schemas"]["DeviceCounts"];

/** The body of `POST /feedback` for what somebody says of a scan. An empty comment is none. */
export function feedbackOn(scan: Judged & { id: string }, scam: boolean, comment = ""): FeedbackBody {
  return saying({ id: scan.id, scanType: scan.scanType, verdict: scan.verdict }, scam, comment).body;
}
