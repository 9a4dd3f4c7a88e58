"""A small corpus of real messages, split as the first training splits it."""

from pathlib import Path

from components.prepare_corpus import step as prepare_corpus
from components.shared.environment import StepSettings
from shield.labels import ModelType
from tests.support.cache import made_once

_FOLLOWS_FROM = ("components", "shield", "tests/support/corpora.py")


def small_sms_corpus() -> Path:
    """Return the directory of `prepare_corpus` from 1,200 real text messages; read-only."""

    def make(folder: Path) -> None:
        prepare_corpus.run(
            folder,
            model_type=ModelType.SMS,
            settings=StepSettings(book_languages=["en"]),
            seed=0,
            most_messages=1200,
        )

    return made_once("sms-corpus", _FOLLOWS_FROM, make)
