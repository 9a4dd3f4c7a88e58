"""Small signed versions that bring a phone everything: a judge, and an encoder to load."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from api.pages.build import node_folder
from components.baseline.step import fit
from components.shared.multilingual import SOURCES, kept_pieces, pruned, taught_texts
from components.shared.package_file import package_file
from shield.device import Operating, quantised, write_device
from shield.labels import ModelType
from shield.linear import Features
from shield.packages import (
    Band,
    Manifest,
    Margin,
    Preprocessing,
    generate_key,
    load_private_key,
    pack,
    save_key,
    sign,
)
from shield.packages.manifest import LINEAR, TOKENIZER
from tests.support.cache import made_once
from tests.support.judge import bundler
from tests.support.packages import CHAT, LURES, SignedPackage, fitted_model
from tests.support.tiny import write_narrow

MAX_TOKENS = 24
"""So that ordinary messages have several windows."""
_FOLLOWS_FROM = (
    "components/shared",
    "components/train",
    "shield",
    "tests/support/encoders.py",
    "tests/support/packages.py",
    "tests/support/tiny.py",
)
TOKENIZER_SOURCE = next(source for source in SOURCES if source[1] == TOKENIZER)
RUNNER = Path(__file__).with_name("whole.mjs")


class WholeSaid(NamedTuple):
    """What the phone's whole predictor says of one text."""

    margin: float
    label: str
    certainty: str
    rows: list[list[int]]


def on_phone(folder: Path, texts: list[str], work: Path) -> list[WholeSaid]:
    """Return what the TypeScript predictor over the package in `folder` says of each text."""
    bundler()
    question, answer = work / "texts.json", work / "answers.json"
    question.write_text(json.dumps(texts))
    done = subprocess.run(
        [node_folder() / "node", RUNNER, folder, question, answer],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [WholeSaid(*each) for each in json.loads(answer.read_text())]


def version_with_encoder(folder: Path, number: int = 1) -> SignedPackage:
    """Make a signed package with a tiny encoder, a linear half and a judge for phones, in a second.

    Its halves and its judge tell lures from chat, each in its own way. Its encoder reads what the
    product's base reads. Versions of other numbers say the same under another digest.
    """
    keys = made_once("keys-of-encoders", (), _make_keys)
    made = made_once("encoder-for-phones", _FOLLOWS_FROM, _make)
    shutil.copytree(made, folder, copy_function=os.link)
    manifest = Manifest(
        model_type=ModelType.SMS,
        margin=Margin(encoder=0.8, linear=0.6, bias=-0.25),
        band=Band(harmless=0.5, scam=0.4),
        preprocessing=Preprocessing(max_tokens=MAX_TOKENS, window_overlap=8, max_windows=5),
        run_id=f"phone-{number}",
    )
    pack(folder, manifest)
    package = sign(folder, load_private_key(keys / "signing.pem"))
    return SignedPackage(package, keys / "signing.pem", keys / "trusted")


def _make_keys(folder: Path) -> None:
    save_key(generate_key(), folder / "signing.pem", folder / "trusted")


def _make(folder: Path) -> None:
    from components.train.export import export_package

    with tempfile.TemporaryDirectory() as work:
        source = Path(work)
        _write_tiny(source)
        export_package(
            fitted_model(source),
            source / TOKENIZER,
            folder,
            max_tokens=MAX_TOKENS,
            sample_texts=[LURES[0], LURES[4], CHAT[0], CHAT[4]],
        )
    texts, features = [*LURES, *CHAT], Features(bits=14)
    scam = np.array([True] * len(LURES) + [False] * len(CHAT))
    linear = fit(texts, scam, features=features)
    linear.save(folder / LINEAR)
    point = Operating(scale=2.0, bias=0.0, harmless=0.5, scam=0.5)
    write_device(quantised(linear)._replace(operating=point), ModelType.SMS, folder)


def _write_tiny(folder: Path) -> None:
    """Write a narrow encoder that reads what the product's base reads."""
    whole = json.loads(package_file(*TOKENIZER_SOURCE).read_text(encoding="utf-8"))
    pieces = kept_pieces(whole, taught_texts())
    (folder / TOKENIZER).write_text(json.dumps(pruned(whole, pieces), ensure_ascii=False))
    write_narrow(folder, pieces=len(pieces))
