"""The phone's judge, run by node on texts of the tests.

`python -m tests.support.judge FOLDER` writes test vectors for a judge in another language.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import NamedTuple

import numpy as np

from api.pages.build import build, node_folder
from shield.device import DeviceModel, Operating, quantised, write_device
from shield.labels import LABELS, ModelType
from shield.linear import Features, LinearModel
from tests.support.odd_texts import odd_texts

RUNNER = Path(__file__).with_name("judge.mjs")


class Said(NamedTuple):
    """What the phone says of one text."""

    margin: float
    label: str
    certainty: str
    confidence: float


def bundler() -> None:
    """Make sure that the pages' packages are there; one process at a time fetches them."""
    place = hashlib.sha256(str(RUNNER).encode()).hexdigest()[:16]
    with (Path(tempfile.gettempdir()) / f"shield-pages-{place}.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        build()


def on_phone(folder: Path, texts: list[str], work: Path) -> list[Said]:
    """Return what the TypeScript judge over the device package in `folder` says of each text."""
    bundler()
    question, answer = work / "texts.json", work / "answers.json"
    question.write_text(json.dumps(texts))
    subprocess.run(
        [node_folder() / "node", RUNNER, folder, question, answer],
        check=True,
        capture_output=True,
        text=True,
    )
    return [Said(*each) for each in json.loads(answer.read_text())]


def random_judge(folder: Path, bits: int = 18) -> DeviceModel:
    """Write a device package whose every bucket counts, so that no difference stays unseen."""
    features = Features(bits=bits)
    weights = np.random.default_rng(7).normal(size=features.buckets).astype(np.float32)
    model = quantised(LinearModel(weights, 0.25, 0.5, features))
    model = model._replace(operating=Operating(1.75, -0.3, 0.4, 0.6))
    write_device(model, ModelType.SMS, folder)
    return model


def write_vectors(folder: Path, count: int = 500, seed: int = 1) -> None:
    """Write a small device package, and what it says of odd texts, for judges in other languages.

    `vectors.json` is a list of {text, margin, label, certainty}.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = random_judge(folder, bits=12)
    vectors = []
    for text in odd_texts(seed, count):
        margin = model.margin(text)
        label = LABELS[ModelType.SMS][int(margin >= 0)]
        certainty = model.certainty(margin).value
        vectors.append({"text": text, "margin": margin, "label": label, "certainty": certainty})
    (folder / "vectors.json").write_text(json.dumps(vectors, indent=1) + "\n")


if __name__ == "__main__":
    write_vectors(Path(sys.argv[1]))
