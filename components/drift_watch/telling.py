"""A look for drift as people read it in Kubeflow's dashboard."""

from shield.wire import DriftLook, DriftVerdict

_TITLES = {
    DriftVerdict.RETRAIN: "Drift: a retraining is asked for",
    DriftVerdict.STEADY: "Steady",
    DriftVerdict.CANNOT_TELL: "Cannot tell yet",
}


def as_markdown(look: DriftLook) -> str:
    """Return a look: the verdict first, then what each signal says and how near it is to asking.

    A list, not a table: the dashboard shows it in a column as narrow as a phone.
    """
    lines = [f"# {_TITLES[look.verdict]}", "", look.reason, ""]
    if look.champion:
        lines += [f"Champion: `{look.champion}`, looked at {look.at:%Y-%m-%d %H:%M} UTC.", ""]
    for signal in look.signals:
        limit = "" if signal.limit is None else f"; drift above {signal.limit:.2%}"
        told = " ".join(signal.message.split())
        lines.append(
            f"- **{signal.name}: {signal.says.replace('_', ' ')}.** {told} Seen: {signal.events} "
            f"of {signal.trials}{limit}. Evidence: {signal.evidence:.0%} of what asks for a "
            "retraining."
        )
    return "\n".join(lines) + "\n"
