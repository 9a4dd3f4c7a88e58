"""`shieldctl model show`, as it is read."""

import io
from datetime import UTC, datetime
from typing import Any

from cli.console import Terminal
from cli.versions import described
from shield.gates import Comparison, Slice
from shield.labels import ModelType
from shield.wire import LedgerEntry, VersionRead, VersionStatus

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def version(**metrics: Any) -> VersionRead:
    return VersionRead(
        name="sms-v3",
        model_type=ModelType.SMS,
        digest=f"sha256:{'c' * 64}",
        uri="packages/sms/c",
        parent="sms-v2",
        batches=["sms-00ff00ff00ff00ff"],
        run_id="weekly-sms-1",
        metrics=metrics,
        status=VersionStatus.DEPLOYED,
        created_at=NOW,
    )


def shown(found: VersionRead, *ledger: LedgerEntry) -> str:
    terminal, page = Terminal(), io.StringIO()
    terminal.out.file, terminal.out.width = page, 100
    terminal.answer(found, *described(found, ledger))
    return page.getvalue()


def test_a_version_is_read_at_a_glance() -> None:
    slices = [
        Slice(dimension="language", value=name, comparison=Comparison(tp=tp, fn=50 - tp, tn=50))
        for name, tp in (("de", 20), ("en", 49))
    ]
    entry = LedgerEntry(
        model_type=ModelType.SMS,
        action="promote",
        version="sms-v3",
        previous_version="sms-v2",
        at=NOW,
        actor="shield-operator",
        reason="not worse",
        rollout_uid="u",
        sequence=4,
    )
    told = shown(
        version(
            goldenRecall=0.912,
            goldenFpr=0.004,
            goldenAccuracy=0.98,
            goldenSize=1200.0,
            goldenChampionAccuracy=0.97,
            gate={"golden-accuracy": "passed", "slices": "German fell by 9 points."},
            slices=[each.model_dump(mode="json", by_alias=True) for each in slices],
            halves=["encoder", "linear"],
            warnings=["The set fresh is empty."],
        ),
        entry,
        entry.model_copy(update={"version": "sms-v1", "previous_version": None}),
    )
    assert "sms-v2, sms-00ff00ff00ff00ff" in told
    assert f"sha256:{'c' * 64}" in told
    words = " ".join(told.split())
    assert "golden set 1200 91.20% 0.40% 98.00% accuracy 97.00%" in words
    assert "refused slices German fell by 9 points." in words
    assert told.index("language: de") < told.index("language: en")
    assert "! The set fresh is empty." in told
    assert "shield-operator" in told
    assert "sms-v1" not in told


def test_a_version_without_figures_is_shown_as_well() -> None:
    told = shown(version())
    assert "Gates" not in told
    assert "weekly-sms-1" in told
