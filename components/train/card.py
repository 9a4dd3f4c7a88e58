"""The model card that travels with a package."""

from pathlib import Path
from typing import TYPE_CHECKING

from shield.labels import MODEL_TYPES
from shield.packages import Manifest
from shield.run_files import DatasetFacts

if TYPE_CHECKING:
    from components.train.checkpoint import Curves  # brings torch


def write_card(
    path: Path,
    manifest: Manifest,
    facts: DatasetFacts,
    curves: "Curves | None",
    languages: list[str],
) -> None:
    """Write `card.md`. Nothing in it depends on when or where the training ran.

    Args:
        path: File to write.
        manifest: What the package is.
        facts: What it learned from.
        curves: How the transformer's training went; None: the package has none.
        languages: Codes of the languages in which the book of scams taught this version.
    """
    model_type = manifest.model_type.value
    rows = "\n".join(
        f"| {name} | {count.messages} | {count.scams} |" for name, count in facts.counts.items()
    )
    path.write_text(
        f"# {model_type} scam filter\n\n"
        f"Classifies a message as {manifest.labels[0]!r} or {manifest.labels[1]!r}.\n\n"
        f"- **Made from:** {_origin(manifest)}\n"
        f"- **Run:** {manifest.run_id}\n"
        f"- **Learned from:** {MODEL_TYPES[manifest.model_type].corpus}; feedback batches: "
        f"{', '.join(manifest.batches) or 'none'}\n"
        f"{_training(manifest, curves)}\n"
        "## Data\n\n| set | messages | scams |\n|---|---|---|\n"
        f"{rows}\n\n"
        "## Use and limits\n\n"
        "A verdict is a hint to a person, never a reason to delete a message. The real messages "
        f"are English. {_taught(languages)} Scammers adapt: the figures of the evaluation hold "
        "for the messages it was made with.\n",
        encoding="utf-8",
    )


def _origin(manifest: Manifest) -> str:
    if not manifest.has_encoder:
        return "n-grams of characters and words; it has no transformer"
    return manifest.parent or "the base encoder"


def _training(manifest: Manifest, curves: "Curves | None") -> str:
    if curves is None:
        return "- **Recipe:** logistic regression, as the step `baseline` fits it\n"
    losses = ", ".join(f"{loss:.4f}" for loss in curves.valid_loss)
    return (
        f"- **Recipe:** {manifest.recipe.get('epochs')} epochs, learning rate "
        f"{manifest.recipe.get('learning_rate')}, seed {manifest.recipe.get('seed')}\n"
        f"- **Validation loss by epoch:** {losses} (epochs kept: {curves.kept})\n"
    )


def _taught(languages: list[str]) -> str:
    if not languages:
        return "Other languages are judged worse."
    return (
        "Beside them the book of scams taught, by messages that were written, not collected, in "
        f"{', '.join(languages)}; other languages are judged worse."
    )
