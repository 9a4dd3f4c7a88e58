"""A look for drift as people read it in Kubeflow's dashboard."""

from shield.wire import DriftLook, DriftVerdict

_TITLES = {
    DriftVerdict.RETRAIN: "Drift: a retraining is asked for",
    DriftVerdict.STEADY: "Steady",
    DriftVerdict.CANNOT_TELL: "Cannot tell yet",
}


def as_markdown(look: DriftLook) -> str:
    """Return a look: the verdict first, then what each signal says and how near it is to asking."""
    lines = [f"# {_TITLES[look.verdict]}", "", look.reason, ""]
    if look.champion:
        lines += [f"Champion: `{look.champion}`, looked at {look.at:%Y-%m-%d %H:%M} UTC.", ""]
    if look.signals:
        lines += [
            "| Signal | Says | Seen | Rate that is drift | Evidence | Finding |",
            "|---|---|---|---|---|---|",
        ]
    for signal in look.signals:
        limit = "–" if signal.limit is None else f"{signal.limit:.2%}"
        said = signal.message.replace("|", "\\|").replace("\n", " ")
        lines.append(
            f"| {signal.name} | {signal.says.replace('_', ' ')} | {signal.events} of "
            f"{signal.trials} | {limit} | {signal.evidence:.0%} of what is needed | {said} |"
        )
    return "\n".join(lines) + "\n"
