"""The Kotlin client against a running API, a signed package, and what all clients share.

The tests are Kotlin's own (`clients/kotlin/src/test`), run by JUnit; here stands their world.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from clients import jvm
from components.prepare_corpus.book import book_messages
from shield.book import Side
from shield.device import CHARACTERS, DEVICE, WEIGHTS
from shield.device.known import sketch_of
from shield.labels import MODEL_TYPES, ModelType
from shield.packages import ModelPackage, pack, push, sign
from shield.packages.keys import Trust, load_private_key
from shield.packages.package import Purpose
from shield.reasons import Reader
from tests.support.api import RunningApi, running_api
from tests.support.arms import model_server
from tests.support.client_rules import (
    FULL,
    FULL_ROUNDS,
    FULL_SENT,
    MIXED,
    MIXED_ROUNDS,
    MIXED_SENT,
    RULES,
    STUBBORN,
    STUBBORN_ROUNDS,
    STUBBORN_SENT,
    counting_story,
    scripted,
)
from tests.support.judge import make_stable, write_vectors
from tests.support.known_scams import KNOWN, SAID, entry, statement
from tests.support.odd_texts import odd_texts
from tests.support.packages import SignedPackage, linear_package
from tests.support.reasons import on_phone
from tests.support.releases import Versions, tampered, told_in_order

KOTLIN_TESTS = sum(
    file.read_text().count("@Test\n") for file in jvm.PROJECT.glob("src/test/kotlin/**/*.kt")
)
pytestmark = pytest.mark.xdist_group("client-package")


@pytest.fixture
def package(tmp_path: Path) -> SignedPackage:
    return judging_package(tmp_path / "package", tmp_path / "vectors")


@pytest.fixture
def api(
    tmp_path: Path, package: SignedPackage, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningApi]:
    """An API whose stable version brings the judge of `package`."""
    monkeypatch.setenv("SHIELD_TRUSTED_KEYS", str(package.trusted_keys))
    with model_server() as arm, running_api(tmp_path / "api", rate_per_user="1000/minute") as api:
        made = ModelPackage.open(package.package.path)
        push(api.services.artifacts, made.path)
        make_stable(api.services.rollouts, "sms-v1", made, url=arm)
        yield api


def release_stories(folder: Path) -> Path:
    """Write what phones are told of releases, and what they must make of it."""
    folder.mkdir()
    made = Versions(folder, 2)
    steps, told = told_in_order(made)
    document = {
        "pins": made.pins,
        "steps": steps,
        "told": told,
        "good": made.step(11, 2),
        "tampered": tampered(made, folder),
    }
    path = folder / "releases.json"
    path.write_text(json.dumps(document))
    return path


def judging_package(folder: Path, vectors: Path) -> SignedPackage:
    """Make a signed package with a judge for phones, and what it says of odd texts."""
    write_vectors(vectors)
    made = linear_package(folder)
    for name in (DEVICE, WEIGHTS, CHARACTERS):
        shutil.copyfile(vectors / name, folder / name)
    pack(folder, ModelPackage.open(folder).manifest.model_copy(update={"files": {}}))
    sign(folder, load_private_key(made.signing_key), Purpose.RECORD)
    shutil.copyfile(folder / "manifest.sig", folder.parent / "record.sig")
    sign(folder, load_private_key(made.signing_key))
    return made


def known_scams(path: Path) -> Path:
    """Write lists of known scams, and what phones make of messages beside them."""
    odd = [text for text in odd_texts(4, 150) if sketch_of(text, KNOWN.salt) is not None]
    alone = {text: statement([entry(text, any_host=True)]) for text in odd}
    document = {
        "known": KNOWN.model_dump(mode="json", by_alias=True),
        "said": SAID,
        "alone": {text: one.model_dump(mode="json", by_alias=True) for text, one in alone.items()},
    }
    path.write_text(json.dumps(document))
    return path


def explanations(folder: Path) -> Path:
    """Write what the phone's own code says of messages, in several languages."""
    folder.mkdir()
    book = book_messages(ModelType.SMS, Side.JUDGE, seed=6).sample(60, seed=6)["text"].to_list()
    odd = ["Pay 3 at http://203.0.113.5/x", "hxxp://a[.]example", "W\u200bin b\u200big", "Soup", ""]
    texts = [*book, *odd, *odd_texts(11, 60)]
    rounds = [
        ("text", True, True, Reader("de", "GB")),
        ("voice", True, True, Reader("ar", "DE")),
        ("text", True, False, Reader("ar", "US")),
        ("phishing", False, True, Reader("hi")),
        ("text", False, False, Reader("en", "ZZ")),
    ]
    document = []
    for scan_type, flagged, sure, reader in rounds:
        said = {"scanType": scan_type, "flagged": flagged, "sure": sure}
        told = [each["why"] for each in on_phone(texts, reader, said, folder)]
        who = {"language": reader.language, "country": reader.country or ""}
        document.append({"said": said, "reader": who, "texts": texts, "told": told})
    path = folder / "reasons.json"
    path.write_text(json.dumps(document))
    return path


def test_the_kotlin_client(tmp_path: Path, package: SignedPackage, api: RunningApi) -> None:
    trusted = Trust.from_directory(package.trusted_keys).keys
    keys = {
        key: public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
        for key, public in trusted.items()
    }
    with (
        scripted(STUBBORN) as (stubborn, sent),
        scripted(MIXED) as (mixed, mixed_sent),
        scripted(FULL) as (full, full_sent),
    ):
        world = {
            "url": api.url,
            "tokens": {name: api.token(name) for name in ("ada", "ben", "eve")},
            "reviewer": api.token("rita", "reviewer"),
            "labels": {
                record.scan_type.value: list(record.labels) for record in MODEL_TYPES.values()
            },
            "rules": RULES,
            "stubborn": stubborn,
            "stubbornRounds": STUBBORN_ROUNDS,
            "full": full,
            "fullRounds": FULL_ROUNDS,
            "mixed": mixed,
            "mixedRounds": MIXED_ROUNDS,
            "counting": counting_story(),
            "package": str(tmp_path / "package"),
            "record": str(tmp_path / "record.sig"),
            "keys": keys,
            "vectors": str(tmp_path / "vectors/vectors.json"),
            "releases": str(release_stories(tmp_path / "releases")),
            "known": str(known_scams(tmp_path / "known.json")),
            "reasons": str(explanations(tmp_path / "explained")),
            "folder": str(tmp_path),
        }
        (tmp_path / "world.json").write_text(json.dumps(world))
        client = jvm.client_jar()
        tests = jvm.compiled("client-test", jvm.PROJECT / "src/test/kotlin", [client])
        class_path = os.pathsep.join(map(str, [*jvm.libraries(), client, tests]))
        done = subprocess.run(
            [
                *(jvm.java(), f"-Dshield.world={tmp_path / 'world.json'}", "-Xshare:auto"),
                *("-XX:TieredStopAtLevel=1", "-cp", class_path),
                *("org.junit.platform.console.ConsoleLauncher", "execute", "--scan-class-path"),
                *(str(tests), "--disable-banner", "--disable-ansi-colors", "--details=tree"),
            ],
            capture_output=True,
            text=True,
            env=os.environ | {"LC_ALL": "C.UTF-8"},
            check=False,
        )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) tests successful", done.stdout)
    assert passed is not None
    assert int(passed[1]) == KOTLIN_TESTS, done.stdout
    assert [scan for scan, _ in sent] == STUBBORN_SENT
    assert len(set(sent)) == 4, "each letter keeps its key"
    assert [name for name, _ in mixed_sent] == MIXED_SENT
    assert [name for name, _ in full_sent] == FULL_SENT
    assert len(set(full_sent)) == 3, "on a full device, too"
    assert len(set(mixed_sent)) == 5, "reports and counts do, too"
    with api.client("rita", "reviewer") as reviewer:
        said = {item.comment: item.corrected_label for item in reviewer.pending().items}
    assert said["my own team"] == "ham"
