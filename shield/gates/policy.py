"""The promotion policy: which gates, in which order."""

from collections.abc import Sequence

from shield.gates import golden, learned, sound, voices
from shield.gates.chain import Decision, Gate, judge
from shield.gates.evidence import GateInput
from shield.gates.limits import GateLimits


def chain(limits: GateLimits | None = None) -> Sequence[Gate]:
    """Return the gates of a release, in the order in which their reasons are given.

    Args:
        limits: The numbers; the defaults of `GateLimits` if left out.
    """
    limits = limits or GateLimits()
    return [
        # Worth judging at all, and judged as it will serve.
        sound.enough_feedback(limits),
        sound.int8_agrees(limits),
        # Nothing that worked may break.
        golden.first_model_stands(limits),
        golden.budget_is_kept(limits),
        golden.accuracy_holds(limits),
        golden.recall_holds(limits),
        golden.no_slice_collapses(limits),
        golden.no_ratchet(limits),
        golden.newest_messages_hold(limits),
        # It learnt what it was asked to learn, and not from one voice alone.
        learned.learnt_the_corrections(limits),
        learned.old_errors_stay_fixed(limits),
        voices.nobody_decides_alone(limits),
        voices.no_phrase_opens_a_door(limits),
    ]


def decide(inputs: GateInput, limits: GateLimits | None = None) -> Decision:
    """Decide by the promotion policy whether the challenger may replace the champion.

    Args:
        inputs: What `evaluate` measured.
        limits: The numbers; the defaults of `GateLimits` if left out.
    """
    return judge(inputs, chain(limits))
