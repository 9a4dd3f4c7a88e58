"""Every test that docs/security.md names for a fault is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NAMED = re.findall(
    r"`((?:tests|components)/[\w/.]+)::(\w+)`", (ROOT / "docs/security.md").read_text()
)


def test_faults_have_tests() -> None:
    assert len(NAMED) > 40


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_the_test_of_a_fault_is_there(file: str, test: str) -> None:
    assert f"def {test}(" in (ROOT / file).read_text()
