"""The messages that benchmarks send, as the retraining reads them."""

from components.prepare_corpus.reading import read_corpus
from components.shared.environment import StepSettings
from shield.labels import ModelType


def labelled() -> list[tuple[str, bool]]:
    """Return each message of the SMS Spam Collection (CC BY 4.0), and whether it is a scam."""
    table = read_corpus(ModelType.SMS, StepSettings())
    return [(text, bool(label)) for text, label in table.select("text", "label").iter_rows()]
