"""Draw what a training did, as one self-contained HTML page."""

import base64
import html
import io
from pathlib import Path

from components.train.checkpoint import Curves


def plot(curves: Curves, path: Path, *, title: str) -> None:
    """Write the loss curves; the same curves give the same page."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "antispam-shield"
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    epochs = range(1, len(curves.loss) + 1)
    axes.plot(epochs, curves.loss, marker="o", label="training")
    axes.plot(epochs, curves.valid_loss, marker="o", label="validation")
    axes.set_xlabel("epoch")
    axes.set_ylabel("cross entropy, classes balanced")
    axes.set_xticks(list(epochs))
    axes.legend()
    drawn = io.BytesIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    image = base64.b64encode(drawn.getvalue()).decode()
    rows = "".join(
        f"<tr><td>{epoch}</td><td>{loss:.4f}</td><td>{valid:.4f}</td><td>{seconds:.1f}</td></tr>"
        for epoch, loss, valid, seconds in zip(
            epochs, curves.loss, curves.valid_loss, curves.seconds, strict=True
        )
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "<!doctype html><meta charset='utf-8'><style>body{font:15px system-ui;margin:2rem}"
        "td,th{padding:.2rem .8rem;text-align:right}</style>"
        f"<title>{html.escape(title)}</title><h1>{html.escape(title)}</h1>"
        f"<img alt='loss per epoch' src='data:image/svg+xml;base64,{image}'>"
        "<table><tr><th>epoch</th><th>training loss</th><th>validation loss</th><th>seconds</th>"
        f"</tr>{rows}</table>",
        encoding="utf-8",
    )
