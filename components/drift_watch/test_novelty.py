"""Campaigns unlike anything that taught are found; variants of what is known are not."""

import numpy as np
import polars as pl
import pytest

from components.drift_watch.novelty import (
    UNLIKE,
    known_campaigns,
    unlike,
    unlike_itself,
)
from components.prepare_corpus.reading import read_corpus
from components.shared.environment import StepSettings
from shield.labels import ModelType
from shield.sequential import Counts
from shield.similarity import form, sketches


@pytest.fixture(scope="module")
def sms() -> pl.DataFrame:
    return read_corpus(ModelType.SMS, StepSettings())


def test_a_variant_of_what_taught_is_known_and_another_language_is_new(sms: pl.DataFrame) -> None:
    scams = sms.filter(pl.col("label") == 1)["text"]
    known = known_campaigns(scams)
    variants = [
        form(text.replace("call", "ring") + " thanks").words for text in scams if len(text) > 80
    ]
    assert unlike(variants[:100], known) == Counts(0, 100)
    strangers = [
        "ваша посылка ждёт оплатите сбор",
        "طردك بانتظارك ادفع الرسوم",
        "ihr konto wurde gesperrt bitte sofort die daten bestaetigen",
    ]
    assert unlike(strangers, known) == Counts(3, 3)


def test_a_training_set_says_how_many_of_its_own_campaigns_are_alone(sms: pl.DataFrame) -> None:
    known = known_campaigns(sms.filter(pl.col("label") == 1)["text"])
    alone = unlike_itself(known, np.random.default_rng(0))
    assert alone.trials == len(known)
    assert 0.3 < alone.rate < 0.5  # the figure that the docstring of UNLIKE names
    hams = [form(text).words for text in sms.filter(pl.col("label") == 0)["text"].head(300)]
    assert unlike(hams, known).rate > 0.9


def test_without_anything_that_taught_everything_is_new() -> None:
    nothing = known_campaigns(pl.Series("text", [], dtype=pl.String))
    assert unlike_itself(nothing, np.random.default_rng(0)) == Counts(0, 0)
    assert unlike(["you win"], nothing) == Counts(1, 1)


def test_equal_messages_have_equal_signatures_and_no_letter_is_no_crash() -> None:
    one, other, empty, short = sketches(["you win a prize", "you win a prize", "", "a"])
    assert np.mean(one == other) == 1.0
    assert np.mean(one == empty) < UNLIKE
    assert np.mean(empty == short) < 1.0
