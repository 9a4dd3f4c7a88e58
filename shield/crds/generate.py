"""Writes the CRD of `ModelRollout`: `python -m shield.crds.generate [--check] [FILE]`.

The Pydantic types are the one source. Here their JSON schema becomes a *structural* OpenAPI v3
schema, the dialect that Kubernetes takes: references inlined, "or null" expressed by leaving the
field out, exclusive bounds as a flag beside the bound, unknown fields pruned instead of forbidden.
Rules between fields, and between an object and what it was before, are added in CEL.
"""

import sys
from pathlib import Path
from typing import Any

import yaml

from shield.crds.v1alpha1 import (
    GROUP,
    KIND,
    PLURAL,
    SHORT_NAME,
    TAKEN_BACK,
    VERSION,
    ModelRolloutSpec,
    ModelRolloutStatus,
)

DEFAULT = "manifests/crds/modelrollouts.yaml"
_HEAD = "# Generated from shield/crds/v1alpha1.py by `make crds`. Do not edit.\n"

_Schema = dict[str, Any]

_COLUMNS = (
    ("Stable", "string", ".status.stable.name"),
    ("Candidate", "string", ".status.candidate.name"),
    ("Weight", "number", ".status.split.weight"),
    ("Phase", "string", ".status.phase"),
    ("Last-Good", "string", ".status.lastKnownGood.name"),
    ("Age", "date", ".metadata.creationTimestamp"),
)

_STEPS_RISE = {
    "rule": (
        "self.map(s, s.weight).isSorted() && self.all(s, self.exists_one(t, t.weight == s.weight))"
    ),
    "message": "the weights of the steps must rise from each step to the next",
}
_MODEL_TYPE_STAYS = {
    "rule": "self.modelType == oldSelf.modelType",
    "message": "modelType never changes: create another ModelRollout for another model type",
}
_REJECTED_STAYS_AWAY = {
    "rule": (
        "self.spec.version.digest == oldSelf.spec.version.digest || !has(self.status) || "
        "!has(self.status.rejected) || "
        "!self.status.rejected.exists(r, r.digest == self.spec.version.digest)"
    ),
    "messageExpression": f"'version ' + self.spec.version.name + ' {TAKEN_BACK}'",
}


def custom_resource_definition() -> _Schema:
    """Return the CRD as plain data."""
    spec = _structural(ModelRolloutSpec.model_json_schema(by_alias=True))
    status = _structural(ModelRolloutStatus.model_json_schema(by_alias=True))
    spec["x-kubernetes-validations"] = [_MODEL_TYPE_STAYS]
    spec["properties"]["steps"]["x-kubernetes-validations"] = [_STEPS_RISE]
    conditions = status["properties"]["conditions"]
    conditions["x-kubernetes-list-type"] = "map"
    conditions["x-kubernetes-list-map-keys"] = ["type"]
    schema = {
        "type": "object",
        "description": "Which version a model type should serve, and how it gets there.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": status,
        },
        "x-kubernetes-validations": [_REJECTED_STAYS_AWAY],
    }
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            {"name": name, "type": kind, "jsonPath": path} for name, kind, path in _COLUMNS
        ],
    }
    names = {
        "kind": KIND,
        "listKind": f"{KIND}List",
        "plural": PLURAL,
        "singular": KIND.lower(),
        "shortNames": [SHORT_NAME],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {"group": GROUP, "names": names, "scope": "Namespaced", "versions": [version]},
    }


def _structural(schema: _Schema) -> _Schema:
    definitions = schema.get("$defs", {})

    def convert(part: _Schema) -> _Schema:
        part = dict(part)
        if "$ref" in part:
            target = definitions[part.pop("$ref").rsplit("/", 1)[1]]
            part = {**target, **part}
        if "anyOf" in part:
            (only,) = [kind for kind in part.pop("anyOf") if kind != {"type": "null"}]
            part = {**convert(only), **part}
        if "const" in part:
            part["enum"] = [part.pop("const")]
        for bound, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
            value = part.get(bound)
            if value is not None and not isinstance(value, bool):
                part[limit], part[bound] = value, True
        if "default" in part:
            part["default"] = _without_nulls(part["default"])
            if part["default"] is None:
                del part["default"]
        if "properties" in part:
            part["properties"] = {name: convert(one) for name, one in part["properties"].items()}
            part.pop("additionalProperties", None)
        elif isinstance(part.get("additionalProperties"), dict):
            part["additionalProperties"] = convert(part["additionalProperties"])
        if "items" in part:
            part["items"] = convert(part["items"])
        if "description" in part:
            part["description"] = " ".join(part["description"].split())
        for unwanted in ("title", "$defs"):
            part.pop(unwanted, None)
        return part

    return convert(schema)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return value


def render() -> str:
    """Return the YAML, the same for the same types."""
    text = yaml.safe_dump(
        custom_resource_definition(), sort_keys=False, width=100, allow_unicode=True
    )
    return _HEAD + text


def main(arguments: list[str]) -> int:
    """Write the file, or with `--check` say whether it is current."""
    check = "--check" in arguments
    names = [argument for argument in arguments if argument != "--check"]
    path, rendered = Path(names[0] if names else DEFAULT), render()
    if check:
        if path.exists() and path.read_text() == rendered:
            return 0
        sys.stderr.write(f"{path} is not what its types say. Run `make crds`.\n")
        return 1
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(rendered)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
