"""What the chart's values alone decide: its JSON schema and the table in its README."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

OPEN_MAPS = {
    *("commonLabels", "image.digests", "api.env", "api.podAnnotations", "operator.env"),
    *("serving.env", "pipeline.schedules", "pipeline.parameters", "api.affinity"),
}
"""Values whose keys are the user's."""
ENUMS = {
    "modelTypes[]": ["sms", "phishing", "voice"],
    "image.pullPolicy": ["Always", "IfNotPresent", "Never"],
    "pipeline.engine": ["auto", "kfp", "cronjob", "none"],
}
PATTERNS = {
    "pipeline.schedule": r"^\S+( \S+){4}$",
    "artifacts.root": r"^s3://[a-z0-9][a-z0-9.-]+(/.*)?$",
}
FREE_LISTS = {"extraObjects"}


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
    if isinstance(value, dict):
        if path in OPEN_MAPS or name in {"nodeSelector", "labels", "resources"}:
            return {"type": "object"}
        if name == "serviceAccountAnnotations":
            return {"type": "object", "additionalProperties": {"type": "string"}}
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                key: schema_of(child, f"{path}.{key}".lstrip(".")) for key, child in value.items()
            },
        }
    if isinstance(value, list):
        if path in FREE_LISTS:
            return {"type": "array", "items": {"type": ["object", "string"]}}
        items = (
            schema_of(value[0], f"{path}[]") if value and isinstance(value[0], str | int) else {}
        )
        return {"type": "array", "items": items} if items else {"type": "array"}
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
