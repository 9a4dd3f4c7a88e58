"""Errors of the engine's refusals, with the reason and when to retry."""

import math

from serving.server.model import ServedModel
from shield.errors import Overloaded, Unavailable


def out_of_order(model: ServedModel) -> Unavailable:
    """Return the error for a version whose circuit is open."""
    return Unavailable(
        f"The version {model.version} is out of order ({model.breaker.fault}). Another arm has to "
        "answer; look at the model server's log, or go back with `shieldctl rollout undo`.",
        retry_after_seconds=math.ceil(model.breaker.rule.rest_seconds),
    )


def could_not(model: ServedModel) -> Unavailable:
    """Return the error for a message on which the version failed."""
    return Unavailable(
        f"The version {model.version} could not compute an answer. Another arm has to answer; look "
        "at the model server's log.",
        retry_after_seconds=1,
    )


def queue_full(rows: int) -> Overloaded:
    """Return the error for a full queue."""
    return Overloaded(
        f"The queue is full ({rows} rows). Try again shortly, or add model servers.",
        retry_after_seconds=1,
    )


def too_long(wait_seconds: float, deadline_seconds: float) -> Overloaded:
    """Return the error for a request whose deadline cannot be met."""
    return Overloaded(
        f"The answer would take about {wait_seconds:.2f} s, longer than the deadline of "
        f"{deadline_seconds:.3g} s. Try again shortly, or add model servers.",
        retry_after_seconds=max(1, math.ceil(wait_seconds)),
    )


def too_late() -> Overloaded:
    """Return the error for a request whose deadline passed in the queue."""
    return Overloaded(
        "The deadline passed while the request waited. Try again shortly, or add model servers.",
        retry_after_seconds=1,
    )
