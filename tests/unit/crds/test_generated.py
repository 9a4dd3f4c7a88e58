from pathlib import Path
from typing import Any

from shield.crds.generate import DEFAULT, custom_resource_definition, main, render

ROOT = Path(__file__).parents[3]


def test_the_committed_crd_is_what_the_types_say() -> None:
    assert (ROOT / DEFAULT).read_text() == render(), "run `make crds`"
    chart = ROOT / "helm/files/crds/modelrollouts.yaml"
    assert chart.read_text() == render(), "run `make manifests`"


def test_a_stale_file_is_told_and_left_alone(tmp_path: Path) -> None:
    stale = tmp_path / "crd.yaml"
    stale.write_text("old")
    assert main(["--check", str(stale)]) == 1
    assert stale.read_text() == "old"
    assert main([str(stale)]) == 0
    assert main(["--check", str(stale)]) == 0


def test_the_schema_is_structural() -> None:
    def look(part: Any) -> None:
        if isinstance(part, dict):
            assert not {"$ref", "$defs", "anyOf", "allOf", "const"} & part.keys(), part
            assert part.get("additionalProperties") is not False
            if "properties" in part:
                assert part["type"] == "object"
            for one in part.values():
                look(one)
        elif isinstance(part, list):
            for one in part:
                look(one)

    look(custom_resource_definition())


def test_every_field_says_what_it_is() -> None:
    schema = custom_resource_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for name, field in schema["properties"]["spec"]["properties"].items():
        assert field.get("description"), name
