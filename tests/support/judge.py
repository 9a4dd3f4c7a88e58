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

from api.pages.build import ASSETS, build, node_folder
from components.baseline.step import fit
from shield.crds.v1alpha1 import ModelRolloutSpec, Split, VersionRef
from shield.device import DeviceModel, Operating, quantised, write_device
from shield.labels import LABELS, ModelType
from shield.linear import Features, LinearModel
from shield.packages import ModelPackage, load_private_key, pack, sign, uri_of
from shield.rollouts import RolloutStore
from tests.support.odd_texts import odd_texts
from tests.support.packages import CHAT, LURES, SignedPackage, linear_package

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


def page_script(source: str = "judge/model.ts", name: str = "judgeModule") -> str:
    """Return a module's code for a page: afterwards e.g. `judgeModule.openJudge` is there."""
    bundler()
    options = {
        "entryPoints": [str(ASSETS / "src" / source)],
        "bundle": True,
        "format": "iife",
        "globalName": name,
        "target": "es2022",
        "write": False,
    }
    code = f"""const done = require("esbuild").buildSync({json.dumps(options)});
        process.stdout.write(done.outputFiles[0].text);"""
    done = subprocess.run(
        [node_folder() / "node", "-e", code], cwd=ASSETS, check=True, capture_output=True, text=True
    )
    return done.stdout.replace(f"var {name}", f"window.{name}", 1)


def random_judge(folder: Path, bits: int = 18) -> DeviceModel:
    """Write a device package whose every bucket counts, so that no difference stays unseen."""
    features = Features(bits=bits, reach=60, whole=120)  # so that many texts have several windows
    weights = np.random.default_rng(7).normal(size=features.buckets).astype(np.float32)
    model = quantised(LinearModel(weights, 0.25, 0.5, features))
    model = model._replace(operating=Operating(1.75, -0.3, 0.4, 0.6))
    write_device(model, ModelType.SMS, folder)
    return model


def version_with_judge(
    folder: Path, *, random: bool = False, model_type: ModelType = ModelType.SMS
) -> SignedPackage:
    """Make a signed package that brings a judge; it tells lures from chat, or says anything."""
    made = linear_package(folder)
    if random:
        random_judge(folder, bits=12)
    else:
        texts, features = [*LURES, *CHAT], Features(bits=14)
        scam = np.array([True] * len(LURES) + [False] * len(CHAT))
        model = quantised(fit(texts, scam, features=features))
        point = Operating(scale=2.0, bias=0.0, harmless=0.5, scam=0.5)
        write_device(model._replace(operating=point), model_type, folder)
    pack(
        folder,
        made.package.manifest.model_copy(
            update={"files": {}, "model_type": model_type, "labels": [*LABELS[model_type]]}
        ),
    )
    package = sign(folder, load_private_key(made.signing_key))
    return SignedPackage(package, made.signing_key, made.trusted_keys)


def make_stable(
    rollouts: RolloutStore,
    name: str,
    package: ModelPackage,
    *,
    url: str = "",
    before: ModelPackage | None = None,
    model_type: ModelType = ModelType.SMS,
) -> None:
    """Make a version the stable one, as the operator does; `before` stays warm for an undo."""
    ref = VersionRef(name=name, digest=package.digest, uri=uri_of(model_type, package.digest))
    old = (
        VersionRef(name="sms-v1", digest=before.digest, uri=uri_of("sms", before.digest))
        if before
        else None
    )
    found = rollouts.change_spec(
        model_type.value,
        lambda spec: (
            spec.model_copy(update={"version": ref})
            if spec
            else ModelRolloutSpec(model_type=model_type, version=ref)
        ),
    )
    url = found.status.split.stable_url if found.status.split else url
    split = Split(stable=ref, stable_url=url, fallback=old, fallback_url=url if old else None)
    good = [each for each in (old, ref) if each]
    changes = {"stable": ref, "split": split, "last_known_good": old, "good": good}
    rollouts.write_status(found, found.status.model_copy(update=changes))


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
