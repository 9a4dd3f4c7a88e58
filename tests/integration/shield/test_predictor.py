"""A real package through a real session: windows, samples, refusals, the artifact store."""

import json
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from shield.artifacts.directory import DirectoryStore
from shield.characters import NO_WORDS
from shield.encoder import spans
from shield.errors import NotFound, PackageCorrupt, PackageInvalid, PackageUnsigned
from shield.labels import Certainty
from shield.linear import LinearModel
from shield.logistic import probability_of
from shield.packages import (
    Alone,
    Band,
    Cascade,
    Manifest,
    ModelPackage,
    Preprocessing,
    Trust,
    load_private_key,
    pack,
    pull,
    push,
    sign,
)
from shield.packages.manifest import LINEAR
from shield.packages.served import files_served
from shield.predictor import OPERATING_POINT, Predictor
from tests.support.packages import (
    CHAT,
    LURES,
    MAX_TOKENS,
    SignedPackage,
    copied_package,
    linear_package,
    with_linear_half,
)

pytestmark = pytest.mark.xdist_group("serving")


@pytest.fixture(scope="module")
def predictor(sms_package: SignedPackage) -> Predictor:
    return Predictor(sms_package.package)


def test_lures_and_chat_fall_on_their_sides(predictor: Predictor) -> None:
    assert {predictor.verdict(p) for p in predictor.probabilities(LURES)} == {"spam"}
    assert {predictor.verdict(p) for p in predictor.probabilities(CHAT)} == {"ham"}


def test_the_answer_does_not_depend_on_who_else_asks(predictor: Predictor) -> None:
    together = predictor.probabilities([*LURES, *CHAT])
    alone = [predictor.probabilities([text])[0] for text in [*LURES, *CHAT]]
    np.testing.assert_array_equal(together, alone)


def test_a_text_where_rows_are_due_is_named_with_the_cure(predictor: Predictor) -> None:
    with pytest.raises(TypeError, match=r"Give texts to probabilities\(\)"):
        predictor.score(["text"])  # type: ignore[list-item]
    assert predictor.score([]).shape == (0,)


def test_int8_stays_close_to_fp32(sms_package: SignedPackage, predictor: Predictor) -> None:
    yardstick = Predictor(sms_package.package, "fp32").probabilities([*LURES, *CHAT])
    assert np.abs(predictor.probabilities([*LURES, *CHAT]) - yardstick).max() < 0.1


def test_samples_hold_on_the_machine_that_made_them(predictor: Predictor) -> None:
    assert predictor.check_samples() < 1e-5


def test_a_long_text_is_as_suspicious_as_its_worst_window(predictor: Predictor) -> None:
    long_text = " ".join([*CHAT, *LURES, *CHAT])
    rows = predictor.read([long_text])[0].rows
    assert len(rows) > 3
    scores = [float(predictor.score([row])[0]) for row in rows]
    assert predictor.margins([long_text])[0] == max(scores)
    assert max(scores) - min(scores) > 1


def test_no_row_is_longer_than_the_manifest_allows(predictor: Predictor) -> None:
    rows = predictor.read(["word " * 5000])[0].rows
    assert max(map(len, rows)) == MAX_TOKENS
    assert len(rows) == Preprocessing().max_windows


def test_an_empty_text_has_an_answer_and_no_text_has_none(predictor: Predictor) -> None:
    assert 0 <= predictor.probabilities([""])[0] <= 1
    assert predictor.probabilities([]).shape == (0,)


@pytest.mark.parametrize("tokens", [0, 1, 62, 63, 64, 100, 500, 10_000])
def test_windows_cover_the_text_and_end_with_it(tokens: int) -> None:
    rules = Preprocessing(max_tokens=64, window_overlap=15, max_windows=4096)
    windows = spans(tokens, rules)
    assert windows[0][0] == 0
    assert windows[-1][1] == tokens
    assert all(stop - start <= 62 for start, stop in windows)
    assert all(later[0] <= earlier[1] for earlier, later in pairwise(windows))


def test_of_a_very_long_text_the_first_and_the_last_window_are_kept() -> None:
    rules = Preprocessing(max_tokens=64, window_overlap=15, max_windows=4)
    windows = spans(100_000, rules)
    assert len(windows) == 4
    assert (windows[0][0], windows[-1][1]) == (0, 100_000)


@pytest.mark.parametrize("name", ["model.int8.onnx", "tokenizer.json", "samples.json"])
def test_a_file_that_is_signed_but_makes_no_sense_is_refused_by_name(
    tmp_path: Path, name: str
) -> None:
    with copied_package(tmp_path) as copy:
        (copy.package.path / name).unlink()
        (copy.package.path / name).write_bytes(b"nonsense")
        package = pack(copy.package.path, copy.package.manifest)
    with pytest.raises(PackageInvalid, match=name):
        Predictor(package).check_samples()


def test_a_model_that_is_off_on_its_samples_is_refused(tmp_path: Path) -> None:
    with copied_package(tmp_path) as copy:
        samples = json.loads((copy.package.path / "samples.json").read_text())
        samples["samples"][0]["probability"]["int8"] -= 0.2
        (copy.package.path / "samples.json").write_text(json.dumps(samples))
        package = pack(copy.package.path, copy.package.manifest)
    with pytest.raises(PackageInvalid, match="is off by"):
        Predictor(package).check_samples()


def test_a_package_comes_back_from_the_store_as_it_went(
    sms_package: SignedPackage, tmp_path: Path
) -> None:
    store, trust = (
        DirectoryStore(tmp_path / "store"),
        Trust.from_directory(sms_package.trusted_keys),
    )
    pushed = push(store, sms_package.package.path)
    assert push(store, sms_package.package.path) == pushed
    pulled = pull(store, pushed.uri, pushed.digest, tmp_path / "cache", trust)
    assert pulled.digest == sms_package.package.digest
    assert Predictor(pulled.verify(trust)).check_samples() < 1e-5


def test_a_pull_repairs_a_damaged_cache_and_fetches_only_what_is_asked(
    sms_package: SignedPackage, tmp_path: Path
) -> None:
    store, trust = (
        DirectoryStore(tmp_path / "store"),
        Trust.from_directory(sms_package.trusted_keys),
    )
    pushed = push(store, sms_package.package.path)
    wanted = ["tokenizer.json", "samples.json"]
    first = pull(store, pushed.uri, pushed.digest, tmp_path / "cache", trust, files=wanted)
    assert not (first.path / "model.safetensors").exists()
    (first.path / "tokenizer.json").write_bytes(b"damaged")
    again = pull(store, pushed.uri, pushed.digest, tmp_path / "cache", trust, files=wanted)
    assert again.read("tokenizer.json") == sms_package.package.read("tokenizer.json")


def test_a_damaged_object_in_the_store_is_refused_and_leaves_nothing_usable(
    sms_package: SignedPackage, tmp_path: Path
) -> None:
    store, trust = (
        DirectoryStore(tmp_path / "store"),
        Trust.from_directory(sms_package.trusted_keys),
    )
    pushed = push(store, sms_package.package.path)
    store.put(f"{pushed.uri}/tokenizer.json", b"damaged", overwrite=True)
    with pytest.raises(PackageCorrupt, match=r"tokenizer\.json"):
        pull(store, pushed.uri, pushed.digest, tmp_path / "cache", trust, files=["tokenizer.json"])
    assert not (tmp_path / "cache" / pushed.digest[7:] / "tokenizer.json").exists()


def test_a_version_that_is_not_there_is_not_found(
    sms_package: SignedPackage, tmp_path: Path
) -> None:
    store, trust = (
        DirectoryStore(tmp_path / "store"),
        Trust.from_directory(sms_package.trusted_keys),
    )
    with pytest.raises(NotFound, match="no model package"):
        pull(store, "packages/sms/nope", sms_package.package.digest, tmp_path / "cache", trust)


def test_nothing_unsigned_is_pushed(tmp_path: Path) -> None:
    with copied_package(tmp_path) as copy:
        pack(copy.package.path, copy.package.manifest)
        with pytest.raises(PackageUnsigned):
            push(DirectoryStore(tmp_path / "store"), copy.package.path)
        sign(copy.package.path, load_private_key(copy.signing_key))
        pushed = push(DirectoryStore(tmp_path / "store"), copy.package.path)
    assert ModelPackage.open(copy.package.path).digest == pushed.digest


def test_both_halves_make_the_margin_and_the_verdict_turns_at_one_half(tmp_path: Path) -> None:
    with copied_package(tmp_path) as copy:
        old = Predictor(copy.package)
        signed = with_linear_half(copy)
        predictor = Predictor(signed.package)
    texts = [*LURES, *CHAT, "1", "x" * 3000]
    encoder, linear = predictor.halves(texts)
    np.testing.assert_array_equal(encoder, old.margins(texts))
    assert np.ptp(linear) > 1
    np.testing.assert_allclose(predictor.margins(texts), 0.5 * encoder + 0.75 * linear - 0.5)
    flagged = predictor.margins(texts) >= 0
    assert 0 < flagged.sum() < flagged.size
    np.testing.assert_array_equal(predictor.probabilities(texts) >= OPERATING_POINT, flagged)
    assert predictor.check_samples() < 1e-5, "the samples are the encoder's"


def test_a_package_without_an_encoder_predicts_by_its_linear_model_alone(tmp_path: Path) -> None:
    signed = linear_package(tmp_path / "linear")
    trust = Trust.from_directory(signed.trusted_keys)
    package = signed.package.verify(trust, files=partial(files_served, precision="int8"))
    predictor = Predictor(package)
    fitted = LinearModel.load(package.path / LINEAR)
    texts = [*LURES, *CHAT, "x" * 30_000]
    margins = predictor.margins(texts)
    np.testing.assert_allclose(margins, 0.75 * fitted.margins(texts) - 0.5)
    readings = predictor.read(texts)
    served = [
        predictor.settle(predictor.score(reading.rows), reading.linear) for reading in readings
    ]
    np.testing.assert_allclose(served, probability_of(margins))
    assert predictor.check_samples() < 1e-6
    assert package.manifest.format_version == 3


@pytest.mark.parametrize(
    "text", ["", " \n", "\u200b\u2060", "\U0001f600\U0001f525", "?!", "\u3164"]
)
def test_of_a_text_without_words_no_verdict_is_sure(text: str, tmp_path: Path) -> None:
    predictor = Predictor(linear_package(tmp_path / "linear").package)
    (probability,) = predictor.probabilities([text])
    assert predictor.verdict(probability) == "ham"
    assert probability == pytest.approx(0.5, abs=1e-6)
    assert predictor.certainty(probability) is Certainty.UNSURE


def test_a_verdict_is_sure_beyond_the_band_of_its_package(tmp_path: Path) -> None:
    signed = linear_package(tmp_path / "linear", Band(harmless=1.0, scam=3.0))
    predictor = Predictor(signed.package)
    said = [predictor.certainty(float(p)) for p in probability_of(np.array([-1.1, -0.9, 2.9, 3.1]))]
    assert said == ["sure", "unsure", "unsure", "sure"]
    old = Predictor(linear_package(tmp_path / "old").package)
    assert [old.certainty(p) for p in (0.09, 0.11, 0.89, 0.91)] == [
        *("sure", "unsure", "unsure", "sure")
    ], "packages of earlier releases: a confidence of .9"


def test_a_package_of_an_earlier_release_is_measured_from_its_threshold(tmp_path: Path) -> None:
    with copied_package(tmp_path) as copy:
        before = probability_of(Predictor(copy.package).halves([*LURES, *CHAT])[0])
        threshold = float(np.median(before))
        manifest = copy.package.manifest.model_copy(update={"threshold": threshold})
        predictor = Predictor(pack(copy.package.path, manifest))
    assert predictor.package.manifest.format_version == 1
    now = predictor.probabilities([*LURES, *CHAT])
    np.testing.assert_array_equal(now >= OPERATING_POINT, before >= threshold)
    np.testing.assert_array_equal(np.argsort(now), np.argsort(before))
    assert {predictor.verdict(p) for p in now[before >= threshold]} == {"spam"}


def test_a_server_fetches_the_linear_half_of_a_package_that_has_one(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    with copied_package(tmp_path) as copy:
        signed = with_linear_half(copy)
        pushed = push(store, signed.package.path)
        expected = Predictor(signed.package).probabilities(LURES)
    trust = Trust.from_directory(signed.trusted_keys)
    files = partial(files_served, precision="int8")
    pulled = pull(store, pushed.uri, pushed.digest, tmp_path / "cache", trust, files=files)
    assert not (pulled.path / "model.onnx").exists(), "what is not served is not fetched"
    np.testing.assert_array_equal(Predictor(pulled).probabilities(LURES), expected)


def test_where_the_package_says_so_the_linear_half_answers_without_the_encoder(
    tmp_path: Path,
) -> None:
    texts = [*LURES, *CHAT]
    with copied_package(tmp_path) as copy:
        plain = with_linear_half(copy).package
        encoder, linear = Predictor(plain).halves(texts)
        low, high = np.quantile(linear, [0.3, 0.7])
        cascade = Cascade(
            harmless=Alone(beyond=min(low, -1e-3), encoder=-9.0),
            scam=Alone(beyond=max(high, 1e-3), encoder=9.0),
        )
        package = pack(plain.path, plain.manifest.model_copy(update={"cascade": cascade}))
        whole, alone = Predictor(package), Predictor(package, cascade=True)
    assert package.manifest.format_version == 4
    np.testing.assert_allclose(whole.halves(texts)[0], encoder, err_msg="always of every text")
    margins, skipped = alone.margins(texts), ~np.isnan(alone.alone(texts))
    assert skipped.any()
    assert not skipped.all()
    assert [not reading.rows for reading in alone.read(texts)] == skipped.tolist()
    np.testing.assert_allclose(margins[~skipped], whole.margins(texts)[~skipped])
    np.testing.assert_allclose(margins[skipped], alone.alone(texts)[skipped])
    implied = np.where(linear < 0, -9.0, 9.0)[skipped]
    np.testing.assert_allclose(margins[skipped], 0.5 * implied + 0.75 * linear[skipped] - 0.5)
    served = [
        alone.settle(alone.score(reading.rows), reading.linear) for reading in alone.read(texts)
    ]
    np.testing.assert_allclose(served, probability_of(margins))
    assert alone.margins(["?!"])[0] == whole.margins(["?!"])[0] == NO_WORDS


def test_a_cascade_needs_both_halves(tmp_path: Path) -> None:
    manifest = linear_package(tmp_path / "linear").package.manifest
    with pytest.raises(ValueError, match="needs both"):
        Manifest.model_validate(
            {**manifest.model_dump(), "cascade": {"harmless": {"beyond": -1.0, "encoder": -2.0}}}
        )
