// Generated from shield/labels.py by `make types`; do not edit.

/** What a user can scan. Of labels and verdicts, the harmless one comes first. */
export const SCAN_TYPES = {
  "text": {
    "labels": [
      "ham",
      "spam"
    ],
    "noun": "Message",
    "prompt": "Paste an SMS or a chat message",
    "verdicts": [
      "Looks harmless",
      "Looks like a scam"
    ],
    "scamAdvice": "Do not answer, call back or open links in it."
  },
  "phishing": {
    "labels": [
      "safe",
      "phishing"
    ],
    "noun": "Mail or link",
    "prompt": "Paste a mail or a web address",
    "verdicts": [
      "Looks safe",
      "Looks like phishing"
    ],
    "scamAdvice": "Do not open it or type a password there."
  },
  "voice": {
    "labels": [
      "ham",
      "spam"
    ],
    "noun": "Call",
    "prompt": "Paste the transcript of a call",
    "verdicts": [
      "Sounds harmless",
      "Sounds like a scam call"
    ],
    "scamAdvice": "Hang up. Call the company back on a number that you know."
  }
} as const;
