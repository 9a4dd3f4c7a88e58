"""The messages that benchmarks send are those of the collection, whole."""

from bench import sms
from bench.serving.__main__ import corpus
from components.prepare_corpus.reading import SMS_FILE, SMS_PACKAGE
from components.shared.package_file import package_file


def test_messages_with_commas_and_quotes_stay_whole_and_bear_no_label() -> None:
    found = sms.labelled()
    texts = [text for text, _ in found]
    assert "Nah I don't think he goes to usf, he lives around here though" in texts
    lines = package_file(SMS_PACKAGE, SMS_FILE).read_text(encoding="utf-8").splitlines()
    assert 0.9 * len(lines) < len(found) <= len(lines)
    assert sum('"' in text for text in texts) > 10
    assert not [text for text in texts if text.startswith(("ham\t", "spam\t"))]
    assert 0.1 < sum(scam for _, scam in found) / len(found) < 0.2
    assert corpus() == texts[:4000]
