"""The model card that travels with a package."""

from pathlib import Path

from components.train.checkpoint import Curves
from shield.packages import Manifest
from shield.run_files import DatasetFacts

_ORIGIN = {
    "sms": "the UCI SMS Spam Collection (Almeida, Hidalgo and Yamakami, 2011; CC BY 4.0)",
    "phishing": "the SpamAssassin public mail corpus",
    "voice": (
        "text and mail corpora made to look like transcripts (lower case, no punctuation, fillers, "
        "recognition errors). No real call was in them: until real transcripts are added with "
        "`shieldctl corpus add`, expect less on real calls than the figures say"
    ),
}


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
        f"- **Learned from:** {_ORIGIN[model_type]}; feedback batches: "
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
