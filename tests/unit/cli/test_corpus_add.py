"""`shieldctl corpus add`: it shows how a file is read before, and what came of it afterwards."""

import json
from pathlib import Path

from cli.home import Home
from components.shared.corpus_store import current_corpus, current_key
from shield.artifacts.opening import open_store
from shield.labels import ModelType
from tests.unit.cli.test_main import shieldctl


def test_a_dry_run_adds_nothing_and_what_was_told_is_used(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    store = open_store(home.artifacts)
    store.put(current_key(ModelType.SMS), b'{"modelType": "sms"}')
    mine = tmp_path / "mine.csv"
    mine.write_bytes("kind;body\nsmishing;Win £9 now\nlegit;See you\nother;What\n".encode("cp1252"))
    line = ["corpus", "add", "sms", str(mine), "--text", "BODY", "--label", "kind"]
    line += ["--map", "smishing=spam", "--map", "legit=ham"]
    looked = shieldctl(*line, "--dry-run", home=tmp_path / "home")
    assert looked.returncode == 0, looked.stderr
    assert "cp1252 (guessed" in looked.stdout
    assert "other (1) is not known" in " ".join(looked.stdout.split())
    assert "3 rows: 2 would be taken (1 ham, 1 spam), 0 known already, 1 bad." in looked.stdout
    assert current_corpus(store, ModelType.SMS).added == []
    done = shieldctl(*line, "--json", home=tmp_path / "home")
    told = json.loads(done.stdout)
    assert (told["rows"], told["taken"], told["known"], len(told["bad"])) == (3, 2, 0, 1)
    assert told["found"]["delimiter"] == "semicolon"
    assert told["corpus"] == {"messages": 2, "scams": 1}
    (entry,) = current_corpus(store, ModelType.SMS).added
    assert entry.messages == 2
    wrong = shieldctl("corpus", "add", "sms", str(mine), "--map", "spam", home=tmp_path / "home")
    assert wrong.returncode == 1
    assert "--map wants WORD=LABEL" in wrong.stderr
