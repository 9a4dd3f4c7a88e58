"""The model card that travels with a package."""

from pathlib import Path

from components.train.checkpoint import Curves
from shield.labels import MODEL_TYPES
from shield.packages import Manifest
from shield.run_files import DatasetFacts


def write_card(path: Path, manifest: Manifest, facts: DatasetFacts, curves: Curves) -> None:
    """Write `card.md`. Nothing in it depends on when or where the training ran."""
    model_type = manifest.model_type.value
    rows = "\n".join(
        f"| {name} | {count.messages} | {count.scams} |" for name, count in facts.counts.items()
    )
    losses = ", ".join(f"{loss:.4f}" for loss in curves.valid_loss)
    path.write_text(
        f"# {model_type} scam filter\n\n"
        f"Classifies a message as {manifest.labels[0]!r} or {manifest.labels[1]!r}.\n\n"
        f"- **Made from:** {manifest.parent or 'the base encoder'}\n"
        f"- **Run:** {manifest.run_id}\n"
        f"- **Learned from:** {MODEL_TYPES[manifest.model_type].corpus}; feedback batches: "
        f"{', '.join(manifest.batches) or 'none'}\n"
        f"- **Recipe:** {manifest.recipe.get('epochs')} epochs, learning rate "
        f"{manifest.recipe.get('learning_rate')}, seed {manifest.recipe.get('seed')}\n"
        f"- **Validation loss by epoch:** {losses} (epochs kept: {curves.kept})\n\n"
        "## Data\n\n| set | messages | scams |\n|---|---|---|\n"
        f"{rows}\n\n"
        "## Use and limits\n\n"
        "A verdict is a hint to a person, never a reason to delete a message. English messages "
        "dominate the corpora; other languages are judged worse. Scammers adapt: the figures "
        "of the evaluation hold for the messages it was made with.\n",
        encoding="utf-8",
    )
