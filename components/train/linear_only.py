"""Make a package of the linear model alone, in a second: the first version of an installation.

It is a version like any other: put at the same operating point, judged by the same gates, signed
and served by the same server. No torch.
"""

import json
import shutil
from datetime import datetime
from pathlib import Path

from components.shared import messages
from components.shared.frozen import frozen
from components.train.card import write_card
from components.train.operating_point import settle
from components.train.phone import write_judge
from components.train.samples import sample_texts
from shield.linear import LinearModel
from shield.packages import Manifest, Margin, ModelPackage, pack
from shield.packages.manifest import CARD, LINEAR, SAMPLES
from shield.run_files import DATASET, DatasetFacts


def linear_package(
    dataset: Path,
    linear: Path,
    model: Path,
    *,
    run_id: str | None,
    created_at: datetime | None = None,
    fpr_budget: float = 0.01,
) -> ModelPackage:
    """Write the package, not yet signed.

    Args:
        dataset: Directory with the frozen messages that the operating point is set on.
        linear: File of the fitted model, from `baseline`.
        model: Directory to write.
        run_id: Goes into the manifest.
        created_at: Goes into the manifest; never taken from a clock.
        fpr_budget: Share of harmless messages that may be flagged.

    Raises:
        Invalid: The frozen messages lack a class.
        PackageInvalid: The linear model cannot be read.
    """
    facts = DatasetFacts.read(dataset / DATASET)
    model.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(linear, model / LINEAR)
    train = messages.read(dataset / "train.parquet")
    half = LinearModel.load(linear)
    _write_samples(model / SAMPLES, half, sample_texts(train))
    manifest = Manifest(
        model_type=facts.model_type,
        batches=facts.batches,
        run_id=run_id,
        recipe={
            "halves": ["linear"],
            "dataset": facts.digests,
            "linear": half.origin._asdict(),
        },
        created_at=created_at,
        margin=Margin(encoder=0.0, linear=1.0),
    )
    write_card(model / CARD, manifest, facts, None, sorted(set(train["language"]) - {""}))
    held_back = frozen(dataset)
    write_judge(half, facts.model_type, held_back, fpr_budget, model)
    settled = settle(pack(model, manifest), held_back, fpr_budget)
    placed = {"budget": fpr_budget, "flagged": settled.flagged, "hams": settled.hams}
    changes = {
        "margin": settled.margin,
        "band": settled.band,
        "recipe": {**manifest.recipe, "operating_point": placed},
    }
    return pack(model, manifest.model_copy(update=changes))


def _write_samples(path: Path, fitted: LinearModel, texts: list[str]) -> None:
    said = [round(float(each), 9) for each in fitted.probabilities(texts)]
    samples = [
        {"text": text, "probability": {"int8": probability, "fp32": probability}}
        for text, probability in zip(texts, said, strict=True)
    ]
    document = json.dumps({"samples": samples}, sort_keys=True, ensure_ascii=False, indent=1)
    path.write_text(document + "\n", encoding="utf-8")
