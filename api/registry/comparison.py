"""Compare two versions on the same messages, from their evaluation reports."""

from typing import Any

from api.kit.context import Context
from api.registry import service
from api.tables import Version
from shield.comparison import Answers, Judged, compare
from shield.errors import Invalid, NotFound, PackageInvalid
from shield.labels import ModelType
from shield.packages.manifest import MANIFEST, Manifest
from shield.wire.comparison import VersionComparison

_DATA = {"goldenDigest": "golden set", "code": "code", "halves": "model", "budget": "budget"}
"""Registered figures that identify a version's inputs and evaluation data."""


def between(ctx: Context, model_type: ModelType, old: str, new: str) -> VersionComparison:
    """Compare two versions of a model type.

    Raises:
        NotFound: There is no such version.
        Unavailable: The artifact store does not answer.
    """
    one, two = (service.get(ctx, model_type, name) for name in (old, new))
    return compare(_judged(ctx, one), _judged(ctx, two))


def _judged(ctx: Context, version: Version) -> Judged:
    recipe = _recipe(ctx, version)
    data: dict[str, Any] = {
        "parent": version.parent,
        "batches": version.batches,
        "sets": recipe.pop("dataset", None),
    }
    data |= {name: version.metrics.get(key) for key, name in _DATA.items()}
    answers, why_not = None, f"{version.name} was registered without an evaluation report."
    if version.report_uri is not None:
        try:
            html = ctx.services.artifacts.get(version.report_uri)
            answers, why_not = Answers.of_report(html, version.name), ""
        except (NotFound, Invalid) as missing:
            why_not = missing.message
    return Judged(version.name, answers, why_not, recipe, data)


def _recipe(ctx: Context, version: Version) -> dict[str, Any]:
    """Return the training recipe in a version's package; empty if the package was removed."""
    try:
        raw = ctx.services.artifacts.get(f"{version.uri}/{MANIFEST}")
        return dict(Manifest.from_bytes(raw, version.name).recipe)
    except (NotFound, PackageInvalid):
        return {}
