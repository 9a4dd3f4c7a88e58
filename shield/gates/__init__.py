"""May the challenger replace the champion? A chain of pure, named checks over counts.

`evaluate` fills a `GateInput`, the `gate` step asks `decide`. Every gate is run and its finding
kept for the record; the first refusal is the outcome. No clock, no randomness, no I/O: the same
counts give the same decision, so that it can be replayed years later from its evidence.
"""

from shield.gates.chain import PROMOTE, Decision, Finding, Gate, Refusal, first_refusal, judge
from shield.gates.evidence import (
    Comparison,
    GateInput,
    GoldenRecord,
    GroupShare,
    PhraseProbe,
    Slice,
)
from shield.gates.learned import too_few_to_tell
from shield.gates.limits import GateLimits
from shield.gates.policy import chain, decide

__all__ = [
    "PROMOTE",
    "Comparison",
    "Decision",
    "Finding",
    "Gate",
    "GateInput",
    "GateLimits",
    "GoldenRecord",
    "GroupShare",
    "PhraseProbe",
    "Refusal",
    "Slice",
    "chain",
    "decide",
    "first_refusal",
    "judge",
    "too_few_to_tell",
]
