"""What the client libraries know of the API is what the application says."""

import re

import pytest

from api.pages.build import ASSETS
from clients import build, contract
from shield.errors import ShieldError, _tree
from tests.support.tables import ROOT, tables_under


def test_each_problem_has_a_class_after_the_one_that_it_is_a_kind_of() -> None:
    script = contract.problems_script()
    declared = re.findall(r"^export class (\w+) extends (\w+) \{\}$", script, flags=re.M)
    seen = {"Problem"}
    for name, base in declared:
        assert base in seen, f"{name} comes before {base}"
        seen.add(name)
    assert seen - {"Problem"} == {kind.__name__ for kind in _tree(ShieldError)} - {"ShieldError"}


def test_a_change_of_the_api_is_a_change_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    before = build.sources_digest()
    assert build.sources_digest() == before
    document = contract.document()
    scan = document["components"]["schemas"]["ScanRead"]
    scan["properties"]["newMember"] = {"type": "string"}
    monkeypatch.setattr(contract, "document", lambda: document)
    assert build.sources_digest() != before


def test_the_document_holds_each_route_that_an_app_calls() -> None:
    paths = contract.document()["paths"]
    assert {"/api/v2/scans", "/api/v2/feedback", "/api/v2/users/me"} <= set(paths)
    assert all(path.startswith("/api/v2/") for path in paths)


def test_the_page_for_flutter_developers_has_a_text_for_each_key_that_it_names() -> None:
    texts = {row[0].strip("`") for row in tables_under("docs/phone.md", "The texts")[0]}
    page = (ROOT / "docs/phone.md").read_text()
    widgets = page.split("## The widgets")[1].split("### The texts")[0]
    named = set(re.findall(rf"`({contract.TEXTS.pattern})`", widgets))
    assert named - {"feedback.status"} == texts  # but for a member of the API's answer


def test_the_page_has_the_steps_of_whoever_acted_already() -> None:
    script = (ASSETS / "src/elements/happened.ts").read_text()
    known = {
        event: re.findall(r"step\.\w+", steps)
        for event, steps in re.findall(r'"(happened\.\w+)": \[(.*?)\],', script)
    }
    rows = tables_under("docs/phone.md", "Result card")[1]
    assert {row[0].strip("`"): re.findall(r"step\.\w+", row[1]) for row in rows} == known
