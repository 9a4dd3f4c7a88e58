"""Draw what a training did, as one self-contained HTML page."""

import html
import io
from pathlib import Path

from components.shared.html_page import page, table
from components.train.checkpoint import Curves


def plot(curves: Curves, path: Path, *, title: str) -> None:
    """Write the loss curves; the same curves give the same page."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "antispam-shield"
    mpl.rcParams["svg.fonttype"] = "none"  # text stays text, which can be searched
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    epochs = range(1, len(curves.loss) + 1)
    axes.plot(epochs, curves.loss, marker="o", label="training")
    axes.plot(epochs, curves.valid_loss, marker="o", label="validation")
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.set_xticks(list(epochs))
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderpad=0.2)
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    svg = drawn.getvalue()
    rows = [
        (str(epoch), f"{loss:.4f}", f"{valid:.4f}", f"{seconds:.1f}")
        for epoch, loss, valid, seconds in zip(
            epochs, curves.loss, curves.valid_loss, curves.seconds, strict=True
        )
    ]
    body = [
        f"<h1>{html.escape(title)}</h1>",
        f"<p>Kept: the weights after epoch {curves.kept}. A training ends, and its last epoch is "
        "taken back, when the loss on messages that are not learned rises. Loss: cross entropy, "
        "both classes weighted alike.</p>",
        f'<figure style="margin:0">{svg[svg.index("<svg") :]}</figure>',
        table(["epoch", "training loss", "validation loss", "seconds"], rows),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(title, "\n".join(body)), encoding="utf-8")
