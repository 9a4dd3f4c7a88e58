"""The vocabulary, and the table from (feedback type, prediction) to a label."""

import pytest

from shield.errors import ContradictoryFeedback, UnknownLabel
from shield.labels import (
    EVERY_LABEL,
    LABELS,
    MODEL_OF_SCAN,
    MODEL_TYPES,
    FeedbackType,
    ModelType,
    ScanType,
    corrected_label,
    is_positive,
    is_scam,
    label_of,
)


@pytest.mark.parametrize(
    ("model_type", "predicted", "claim", "truth"),
    [
        ("sms", "spam", "false_positive", "ham"),
        ("sms", "ham", "false_negative", "spam"),
        ("sms", "ham", "confirmed", "ham"),
        ("phishing", "phishing", "false_positive", "safe"),
        ("phishing", "safe", "false_negative", "phishing"),
        ("phishing", "phishing", "confirmed", "phishing"),
        ("voice", "spam", "false_positive", "ham"),
        ("voice", "ham", "false_negative", "spam"),
        ("voice", "spam", "confirmed", "spam"),
    ],
)
def test_the_label_follows_from_the_claim_and_the_verdict(model_type, predicted, claim, truth):
    kind = ModelType(model_type)
    assert corrected_label(kind, predicted, FeedbackType(claim)) == truth
    assert corrected_label(kind, predicted, FeedbackType(claim), truth) == truth


@pytest.mark.parametrize(
    ("claim", "predicted"), [("false_positive", "ham"), ("false_negative", "spam")]
)
def test_a_claim_that_contradicts_the_verdict_is_refused_with_the_reason(claim, predicted):
    with pytest.raises(ContradictoryFeedback, match="Look at the scan again"):
        corrected_label(ModelType.SMS, predicted, FeedbackType(claim))


def test_an_actual_label_that_contradicts_the_claim_is_refused():
    with pytest.raises(ContradictoryFeedback, match="cannot go with the actual label 'spam'"):
        corrected_label(ModelType.SMS, "spam", FeedbackType.FALSE_POSITIVE, "spam")


@pytest.mark.parametrize("word", ["scam", "safe", "SPAM", "", "not spam", "1"])
def test_a_label_that_nobody_knows_is_never_read_as_harmless(word):
    with pytest.raises(UnknownLabel, match="Use one of: ham, spam"):
        is_positive(ModelType.SMS, word)
    with pytest.raises(UnknownLabel):
        corrected_label(ModelType.SMS, "spam", FeedbackType.CONFIRMED, word)


@pytest.mark.parametrize("kind", list(ModelType))
def test_words_and_classes_are_each_others_inverse(kind):
    assert [is_positive(kind, word) for word in LABELS[kind]] == [False, True]
    assert [label_of(kind, positive) for positive in (False, True)] == list(LABELS[kind])


def test_every_model_type_and_every_scan_type_has_one_record():
    assert list(MODEL_TYPES) == list(ModelType)
    assert list(MODEL_OF_SCAN) == list(ScanType)


def test_no_word_is_a_scam_in_one_model_type_and_harmless_in_another():
    meanings = {
        (label, is_positive(kind, label)) for kind, labels in LABELS.items() for label in labels
    }
    assert len(meanings) == len(EVERY_LABEL)
    assert {label for label, scam in meanings if scam} == set(filter(is_scam, EVERY_LABEL))
    with pytest.raises(UnknownLabel, match=r"a label of any of the models\. Use one of: "):
        is_scam("eggs")
