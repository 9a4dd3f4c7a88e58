// What is said of a verdict, and to whom it goes: feedback on a verdict of the server, or a report on one of the device, which the server judges
// again. Also in the npm package.
import { claimOf, labelOf, type FeedbackType, type Judged, type ScanType } from "./verdicts";

/** What a device has said of a message by itself, as the server is told. */
export interface DeviceOpinion {
  version: string;
  verdict: string;
  certainty: "sure" | "unsure";
}

/** The body of `POST /device/reports`. */
export interface DeviceReport {
  scanType: ScanType;
  text: string;
  actualLabel: string;
  comment?: string;
  device: DeviceOpinion;
}

/** The body of `POST /feedback`. */
export interface FeedbackBody {
  scanId: string;
  feedbackType: FeedbackType;
  actualLabel: string;
  comment?: string;
}

/** A scan, by whomever it was judged. */
export interface Answerable extends Judged {
  id: string;
  /** The device has judged by itself, and the text has not been sent. */
  judgedHere?: boolean;
  /** What the judge on the device has said, where something else has answered: known scams, or the whole predictor. It is what is reported. */
  judgeSaid?: { verdict: string; certainty: "sure" | "unsure" };
  certainty?: "sure" | "unsure" | null;
  modelVersion?: string;
  text?: string | null;
}

/** What the server has made of a message that was judged on the device, since that was reported: its scan there, and its verdict. */
export interface OnServer {
  id: string;
  verdict: string;
}

/** What is kept until it is sent. */
export interface Said {
  body: FeedbackBody;
  /** Of a message that the device has judged: the server has to see it first. */
  report?: DeviceReport;
}

/** What the judge on the device has said of a scan, as the server is told. */
export function opinionOf(scan: Answerable): DeviceOpinion {
  const { verdict, certainty } = scan.judgeSaid ?? scan;
  return { version: scan.modelVersion ?? "", verdict, certainty: certainty ?? "unsure" };
}

/** What somebody says of a scan. An empty comment is none. */
export function saying(scan: Answerable, scam: boolean, comment = ""): Said {
  const words = comment.trim();
  const said = { actualLabel: labelOf(scan.scanType, scam), ...(words ? { comment: words } : {}) };
  const body = { scanId: scan.id, feedbackType: claimOf(scan, scam), ...said };
  if (!scan.judgedHere) return { body };
  if (!scan.text) throw new TypeError("A report on a verdict of the device needs the text of the message.");
  return { body, report: { scanType: scan.scanType, text: scan.text, ...said, device: opinionOf(scan) } };
}

/**
 * What is sent of it. Once the server has judged what was reported (`onServer`), a changed opinion is about its scan and its verdict, and not a
 * second message.
 */
export function sentOf({ body, report }: Said, onServer: OnServer | null | undefined): { feedback: FeedbackBody } | { report: DeviceReport } {
  if (report === undefined) return { feedback: body };
  if (!onServer) return { report };
  const { scanType, actualLabel } = report;
  const scam = actualLabel === labelOf(scanType, true);
  return { feedback: { ...body, scanId: onServer.id, feedbackType: claimOf({ scanType, verdict: onServer.verdict }, scam) } };
}
