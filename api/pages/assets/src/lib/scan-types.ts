// Generated from shield/labels.py and shield/reasons/places.yaml by `make types`; do not edit.

/** What a user can scan; of its two labels the harmless one comes first. */
export const SCAN_TYPES = {
  "text": {
    "labels": [
      "ham",
      "spam"
    ]
  },
  "phishing": {
    "labels": [
      "safe",
      "phishing"
    ]
  },
  "voice": {
    "labels": [
      "ham",
      "spam"
    ]
  }
} as const;

/** The countries (ISO 3166) of which it is known who takes reports of scams. */
export const COUNTRIES = ["AT", "AU", "BE", "CA", "CH", "DE", "ES", "FR", "GB", "ID", "IN", "IT", "NL", "NZ", "PT", "SA", "US"];
