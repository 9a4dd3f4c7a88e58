"""What the chart's values alone decide: its JSON schema and the table in its README."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from shield.labels import ModelType
from shield.retraining import RetrainingParameters

TYPES = [model_type.value for model_type in ModelType]
IMAGES = ["api", "serving", "operator", "pipeline", "training"]
CRON = r"^\S+( \S+){3} [^\s7]+$"
"""Five fields; Sunday is 0: neither a CronJob nor Kubeflow Pipelines knows a weekday 7."""
ENUMS = {
    "image.pullPolicy": ["Always", "IfNotPresent", "Never"],
    "pipeline.engine": ["auto", "kfp", "cronjob", "trainjob", "none"],
    "serving.backend": ["deployments", "kserve"],
}
PATTERNS = {
    "pipeline.schedule": CRON,
    "pipeline.driftWatch.schedule": CRON,
    "artifacts.root": r"^s3://[a-z0-9][a-z0-9.-]+(/.*)?$",
}

_STRINGS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}
_ENVIRONMENT = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean"]},
}
_QUANTITIES = {"type": "object", "additionalProperties": {"type": ["string", "number"]}}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


_TEXT = {"type": "string"}
_TOLERATION = _closed(
    {
        **dict.fromkeys(("key", "operator", "value", "effect"), _TEXT),
        "tolerationSeconds": {"type": "integer"},
    }
)
BY_NAME: dict[str, dict[str, Any]] = {
    "resources": _closed({"requests": _QUANTITIES, "limits": _QUANTITIES}),
    "tolerations": {"type": "array", "items": _TOLERATION},
    "env": _ENVIRONMENT,
    **dict.fromkeys(
        ("nodeSelector", "labels", "commonLabels", "podAnnotations", "serviceAccountAnnotations"),
        _STRINGS,
    ),
    **{
        key: {"type": "array", "items": _TEXT}
        for key in ("pullSecrets", "secrets", "admins", "reviewers")
    },
}
"""What values of a name look like, wherever they are."""
BY_PATH: dict[str, dict[str, Any]] = {
    "modelTypes": {
        "type": "array",
        "items": {"enum": TYPES},
        "minItems": 1,
        "uniqueItems": True,
    },
    "pipeline.firstModels.types": {"type": ["array", "null"], "items": {"enum": TYPES}},
    "pipeline.schedules": _closed({key: {"type": "string", "pattern": CRON} for key in TYPES}),
    "image.digests": _closed(
        {key: {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"} for key in IMAGES}
    ),
    "api.affinity": {"type": "object"},
    "gateway.httpRoute.parentRefs": {"type": "array", "items": {"type": "object"}},
    "gateway.staffRoute.parentRefs": {"type": "array", "items": {"type": "object"}},
    "serving.kserve.annotations": _STRINGS,
    "extraObjects": {"type": "array", "items": {"type": ["object", "string"]}},
}


def pipeline_parameters() -> dict[str, Any]:
    """Return the schema of the retraining's parameters, with their bounds.

    A parameter that the pipeline does not have would otherwise fail in the first weekly run.
    """
    kept = {"type", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    declared = RetrainingParameters.model_json_schema()["properties"]
    return _closed(
        {
            name: {key: value for key, value in schema.items() if key in kept}
            for name, schema in sorted(declared.items())
        }
    )


def values_schema(values: str) -> str:
    """Return `values.schema.json`."""
    schema: dict[str, Any] = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the antispam-shield chart",
        **schema_of(yaml.safe_load(values), ""),
    }
    # Helm's own: `--set global.x`.
    schema["properties"]["global"] = {"type": "object"}
    return json.dumps(schema, indent=1) + "\n"


def schema_of(value: object, path: str) -> dict[str, Any]:
    """Return the JSON schema of one default: the same type, and no unknown keys."""
    name = path.rpartition(".")[2]
    if path in ENUMS:
        return {"enum": ENUMS[path]}
    if path == "pipeline.parameters":
        return pipeline_parameters()
    known = BY_PATH.get(path) or BY_NAME.get(name)
    if known is not None:
        return known
    if isinstance(value, dict):
        return _closed(
            {key: schema_of(child, f"{path}.{key}".lstrip(".")) for key, child in value.items()}
        )
    if isinstance(value, list):
        return {"type": "array", "items": schema_of(value[0], f"{path}[]")}
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int):
        return {"type": "integer", "minimum": 0}
    pattern = {"pattern": PATTERNS[path]} if path in PATTERNS else {}
    return {"type": "string", **pattern}


def readme(values: str) -> str:
    """Return the chart's README: how to install, and a table of all values from their comments."""
    rows = "\n".join(
        f"| `{name}` | `{json.dumps(default)}` | {comment} |"
        for name, default, comment in commented(values)
    )
    return f"""<!-- Generated from values.yaml by `make manifests`; do not edit. -->
# antispam-shield

Installs the API, the rollout operator and the weekly retraining; the operator makes the model
servers.

    kubectl create namespace antispam-shield
    kubectl label namespace antispam-shield pod-security.kubernetes.io/enforce=restricted
    helm install antispam-shield ./helm -n antispam-shield -f my-values.yaml --wait
    helm test -n antispam-shield antispam-shield

For a trial, everything in the cluster:

    helm install antispam-shield ./helm -n antispam-shield --wait \\
      --set trial.postgresql.enabled=true --set trial.seaweedfs.enabled=true

Otherwise name the Secrets of your PostgreSQL (`database.existingSecret`) and S3
(`artifacts.existingSecret`). Upgrades, backups, keys and alerts: `docs/operations.md`.

## Values

| Value | Default | Meaning |
|---|---|---|
{rows}
"""


def commented(values: str) -> Iterator[tuple[str, object, str]]:
    """Yield (dotted name, default, comment) of every value with a `# --` comment, in order."""
    tree = yaml.safe_load(values)
    path: list[tuple[int, str]] = []
    comment: list[str] = []
    for line in values.splitlines():
        stripped = line.strip()
        if stripped.startswith("# --"):
            comment = [stripped.removeprefix("# --").strip()]
        elif stripped.startswith("#") and comment:
            comment.append(stripped.removeprefix("#").strip())
        elif match := re.match(r"^( *)([A-Za-z]\w*):", line):
            indent = len(match[1])
            path = [entry for entry in path if entry[0] < indent] + [(indent, match[2])]
            if comment:
                default = tree
                for _, key in path:
                    default = default[key]
                yield ".".join(key for _, key in path), default, " ".join(comment)
            comment = []
        elif not stripped:
            comment = []
