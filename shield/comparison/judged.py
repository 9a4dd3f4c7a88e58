"""A version as it is compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from shield.comparison.answers import Answers, kept


@dataclass(frozen=True)
class Judged:
    """What is known of a version."""

    name: str
    answers: Answers | None = None
    why_not: str = ""
    """Why there are no answers."""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """How it was trained."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What taught it, and what it was judged on."""

    @classmethod
    def of_package(
        cls,
        package: Path,
        messages: Sequence[tuple[str, bool]],
        *,
        name: str = "",
        kinds: Mapping[str, Sequence[str]] | None = None,
    ) -> Self:
        """Judge a package here, on messages of one's own. They are shown as they are.

        Args:
            package: Its directory.
            messages: Text, and whether it is a scam.
            name: How it is called; else by its digest.
            kinds: E.g. `language` -> one value per message.

        Raises:
            PackageInvalid: It cannot be loaded.
            PackageCorrupt: A file is not the one its manifest names.
        """
        from shield.packages import ModelPackage
        from shield.predictor import Predictor  # needs onnxruntime, which the API does not have

        opened = ModelPackage.open(package)
        texts = [text for text, _ in messages]
        scores = Predictor(opened, "int8").probabilities(texts)
        answers = Answers(
            challenger=opened.digest,
            budget=float(opened.manifest.metrics.get("budget", 0.0)),
            ids=[str(place) for place in range(len(texts))],
            sets=["golden"] * len(texts),
            scam=[scam for _, scam in messages],
            scores=[kept(score) for score in scores],
            texts=texts,
            kinds={dimension: list(values) for dimension, values in (kinds or {}).items()},
        )
        manifest = opened.manifest
        return cls(
            name or opened.digest[:19],
            answers,
            recipe=manifest.recipe,
            data={"batches": manifest.batches},
        )
