"""Compare two versions on the messages that both were judged on.

- `answers`: what a version said of each judged message; every evaluation report carries it.
- `judged`: a version as it is compared: from its report, or from its package and messages.
- `compare`: the comparison. The dashboard, `shieldctl model compare` and notebooks use it.
"""

from shield.comparison.answers import Answers
from shield.comparison.compare import compare
from shield.comparison.judged import Judged

__all__ = ["Answers", "Judged", "compare"]
