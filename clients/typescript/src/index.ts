// @antispam-shield/client: ask, say when it is wrong, lose nothing.
export { retryAfterSeconds } from "./generated/lib/rules";
export { ShieldClient, type ClientOptions, type DeviceReported, type Feedback, type Me, type Page, type Serving } from "./client";
export type { components, paths } from "./generated/api";
export * from "./generated/problems";
export type { Answer, Counts, Tally } from "./generated/judge/counting";
export { Outbox, OutboxChange, type Delivery, type Feedbacked, type OutboxOptions } from "./outbox";
export { Problem, ShieldError, Unreachable } from "./problem";
export { pauseSeconds, ruleFor, type Rule } from "./rules";
export { claimOf, feedbackOn, isScam, isUnsure, saidOf, standingOf, type Answerable, type DeviceCounts, type DeviceOpinion, type DeviceReport, type FeedbackBody, type FeedbackType, type OnServer, type Reason, type Scan, type ScanType, type Standing } from "./scan";
export { BrowserStorage, MemoryStorage, type Letter, type Outcome, type OutboxStorage } from "./storage";
