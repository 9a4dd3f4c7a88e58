"""The page, the terminal and the notebook give the same figures of the same two versions."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from cli.main import main
from components.evaluate.step import run as evaluate
from components.shared import messages
from shield.labels import ModelType
from shield.run_files import DATASET, DatasetFacts
from shield.wire import VersionRequest
from tests.support.api import running_api
from tests.support.desk import signed_in
from tests.support.packages import CHAT, LURES, linear_package, signed_package
from tests.support.waiting import PATIENCE_SECONDS

NOTEBOOK = Path(__file__).parents[3] / "docs/notebooks/compare.py"


def test_page_terminal_and_notebook_give_the_same_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = linear_package(tmp_path / "old").package, signed_package(0).package
    rows = [(text, 1) for text in LURES] + [(text, 0) for text in CHAT]
    ids = [f"g-{n}" for n in range(len(rows))]
    table = pl.DataFrame(rows, schema=["text", "label"], orient="row").with_columns(
        id=pl.Series(ids), campaign=pl.Series(ids), source=pl.lit("uci-sms")
    )
    folder = tmp_path / "dataset"
    messages.write(table, folder / "golden.parquet")
    DatasetFacts(model_type=ModelType.SMS, fresh_feedback=0, golden_digest="sha256:g").write(
        folder / DATASET
    )
    with (tmp_path / "messages.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    with running_api(tmp_path / "api", embedded=True) as api:
        with api.client("ann", "admin") as admin:
            for name, package in (("old", old), ("new", new)):
                report = tmp_path / f"{name}.html"
                evaluate(folder, package.path, None, tmp_path / f"{name}.json", report)
                api.services.artifacts.put(f"reports/sms/{name}.html", report.read_bytes())
                admin.register_version(
                    ModelType.SMS,
                    VersionRequest(
                        digest=package.digest,
                        uri=f"packages/sms/{name}",
                        report_uri=f"reports/sms/{name}.html",
                        metrics={"goldenDigest": "sha256:g", "budget": 0.01},
                    ),
                )
            found = admin.compare(ModelType.SMS, "sms-v1", "sms-v2")
        token = api.token("ann", "admin")
        with pytest.raises(SystemExit):
            main(["--api-url", api.url, "--token", token, "model", "compare", "sms-v1", "sms-v2"])
        terminal = capsys.readouterr().out
        with signed_in(api) as browser:
            page = browser.get("/review/models/sms/compare?old=sms-v1&new=sms-v2").text
    done = subprocess.run(
        [sys.executable, NOTEBOOK, old.path, new.path, tmp_path / "messages.csv"],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
        env={**os.environ},
    )
    (golden,) = found.sets
    assert any(figure.change for figure in golden.figures), "nothing differs: nothing is compared"
    read = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    for figure in golden.figures:
        change, low, high = (100 * part for part in (figure.change, figure.low, figure.high))
        assert f"{change:+.2f} [{low:+.2f}, {high:+.2f}]" in terminal
        assert f"{figure.old:.2%}" in terminal
        shares = f"{figure.figure:16} {figure.old:7.1%} -> {figure.new:7.1%}"
        assert f"golden           {shares}  {change:+.1f} [{low:+.1f}, {high:+.1f}]" in done.stdout
        assert f"{figure.old:.2%} {figure.new:.2%}" in read
        assert f"{change:+.2f}" in read
