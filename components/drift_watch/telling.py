"""A look for drift as people read it in Kubeflow's dashboard."""

from shield.wire import DriftLook, DriftVerdict

_TITLES = {
    DriftVerdict.RETRAIN: "Drift: a retraining is asked for",
    DriftVerdict.STEADY: "Steady",
    DriftVerdict.CANNOT_TELL: "Cannot tell yet",
}
_CALM = {
    DriftVerdict.STEADY: "No signal asks for a retraining.",
    DriftVerdict.CANNOT_TELL: "Every signal has too little to go by.",
}


def as_markdown(look: DriftLook) -> str:
    """Return a look: the verdict first, then what each signal says and how near it is to asking.

    A list, not a table: the dashboard shows it in a column as narrow as a phone.
    """
    # Where no signal asks, the reason says what all of them say, and they do so below.
    asks = look.verdict is DriftVerdict.RETRAIN or not look.signals
    lines = [f"# {_TITLES[look.verdict]}", "", look.reason if asks else _CALM[look.verdict], ""]
    if look.champion:
        lines += [f"Champion: `{look.champion}`, looked at {look.at:%Y-%m-%d %H:%M} UTC.", ""]
    for signal in look.signals:
        limit = "" if signal.limit is None else f"; drift above {signal.limit:.2%}"
        name = signal.name.replace("_", " ")
        told = " ".join(signal.message.split()).removeprefix(f"{name}: ")
        lines.append(
            f"- **{name}: {signal.says.replace('_', ' ')}.** {told} Seen: {signal.events} of "
            f"{signal.trials}{limit}. Evidence: {signal.evidence:.0%} of what asks for a "
            "retraining."
        )
    return "\n".join(lines) + "\n"
