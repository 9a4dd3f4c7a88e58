// What the phone says of each problem that the server names: slug of `shield/errors.py` -> the key of its sentence.
import type { Key } from "./words";

/** What the app sent makes no sense to this server: one of the two is older than the other. */
const MISUNDERSTOOD: Key = "error.app";
/** It is the operator's to mend. */
const TROUBLE: Key = "error.server";
/** True a moment ago. */
const CHANGED: Key = "error.changed";

export const REFUSALS: Readonly<Record<string, Key>> = {
  error: MISUNDERSTOOD,
  "bad-request": MISUNDERSTOOD,
  invalid: MISUNDERSTOOD,
  "unknown-label": MISUNDERSTOOD,
  "idempotency-key-reused": MISUNDERSTOOD,
  "contradictory-feedback": "error.contradicts",
  unauthenticated: "error.signedOut",
  forbidden: "error.forbidden",
  "not-found": "error.gone",
  "already-reviewed": "error.reviewed",
  conflict: CHANGED,
  "already-exists": CHANGED,
  "version-rejected": CHANGED,
  "lease-lost": CHANGED,
  "rollout-busy": CHANGED,
  "too-large": "error.tooLarge",
  "rate-limited": "error.busy",
  overloaded: "error.busy",
  unavailable: TROUBLE,
  misconfigured: TROUBLE,
  unusable: TROUBLE,
  "artifact-corrupt": TROUBLE,
  "package-corrupt": TROUBLE,
  "package-unsigned": TROUBLE,
  "package-untrusted": TROUBLE,
  "package-invalid": TROUBLE,
};
