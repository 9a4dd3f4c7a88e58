import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import jwt
import pytest

from cli.app import hoisted
from cli.home import LAYOUT, Home
from cli.main import main
from tests.support.waiting import PATIENCE_SECONDS


def shieldctl(*arguments: str, home: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cli.main", "--data-dir", str(home), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )


def test_options_of_the_root_may_stand_anywhere() -> None:
    assert hoisted(["rollout", "status", "sms", "--json"]) == ["--json", "rollout", "status", "sms"]
    assert hoisted(["up", "--data-dir", "d", "--port", "0"]) == [
        "--data-dir",
        "d",
        "up",
        "--port",
        "0",
    ]
    assert hoisted(["up", "--data-dir=d"]) == ["--data-dir=d", "up"]


def test_nothing_behind_a_double_dash_is_taken_for_an_option() -> None:
    assert hoisted(["scan", "--", "--json"]) == ["scan", "--", "--json"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--frobnicate", r"No such option: --frobnicate"),
        ("up --frobnicate", r"No such option: --frobnicate"),
        ("frobnicate", r"No such command 'frobnicate'"),
        ("rollout status mms", r"'mms' is not one of 'sms'"),
        ("rollout status sms", r"No services run on .*shieldctl up"),
        ("feedback list", r"No services run on .*shieldctl up"),
        ("pipeline run sms", r"No services run on .*shieldctl up"),
        ("model verify nowhere", r"There is no model package in nowhere"),
        ("token create --role king", r"There is no role 'king'"),
        ("up --schedule nonsense", r"The schedule 'nonsense' has 1 fields"),
        ("up --port 99999", r"--port.* 65535"),
        ("db backup /dev/null", r"There is no database"),
        ("corpus show frobnicate", r"no tactic 'frobnicate'.*parcel-fee"),
        ("corpus remove sms book", r"no corpus of sms yet.*shieldctl model train sms"),
        ("--api-url http://127.0.0.1:1 rollout list", r"wants a token"),
        ("--api-url http://127.0.0.1:1 token", r"is not here. Run this where it runs"),
        ("--api-url http://127.0.0.1:1 --token x rollout list", r"did not answer"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_1(
    line: str, sentence: str, tmp_path: Path
) -> None:
    done = shieldctl(*line.split(), home=tmp_path / "home")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert re.search(sentence, done.stderr)


def test_a_data_directory_of_a_newer_version_is_refused_by_every_command(tmp_path: Path) -> None:
    Home.open(tmp_path / "home")
    (tmp_path / "home" / "VERSION").write_text(f"{LAYOUT + 1}\n")
    for line in ("up", "token create", "feedback list", "db url", "model keygen"):
        done = shieldctl(*line.split(), home=tmp_path / "home")
        assert done.returncode == 1
        assert "newer version" in done.stderr


def test_for_machines_an_error_is_a_problem_document(tmp_path: Path) -> None:
    done = shieldctl("rollout", "status", "sms", "--json", home=tmp_path / "home")
    assert done.returncode == 1
    assert json.loads(done.stderr)["type"] == "/problems/unavailable"


def test_a_token_is_printed_alone_and_signed_by_its_own_installation(tmp_path: Path) -> None:
    done = shieldctl("token", "create", "--role", "reviewer", home=tmp_path / "home")
    assert done.returncode == 0
    secret = Home.open(tmp_path / "home").jwt_secret()
    claims = jwt.decode(
        done.stdout.strip(), secret, algorithms=["HS256"], audience="antispam-shield"
    )
    assert claims["roles"] == ["reviewer"]
    assert done.stdout.count("\n") == 1


IN_A_TINY_DISK = """
mount -t tmpfs -o size=64k tmpfs "$1" && head -c 60000 /dev/zero > "$1/ballast" && rm "$1/ballast"
"$2" -m cli.main --data-dir "$1/home" token create >/dev/null || exit 3
cat /dev/zero > "$1/home/cache/ballast" 2>/dev/null
"$2" -m cli.main --data-dir "$1/home" model keygen; echo "exit $?"; ls -A "$1/home/keys"
"""


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    command = ["unshare", "-rm", "sh", "-c", IN_A_TINY_DISK, "sh", str(tmp_path), sys.executable]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )
    if "exit" not in done.stdout:
        pytest.skip(f"no file system may be mounted here: {done.stderr.strip()}")
    assert re.fullmatch(r"shieldctl: The disk is full.*Make room.*", done.stderr.strip())
    assert done.stdout.splitlines() == ["exit 1", "jwt-secret"]


def test_help_names_every_command(tmp_path: Path) -> None:
    done = shieldctl("--help", home=tmp_path / "home")
    assert done.returncode == 0
    words = [
        "up",
        "demo",
        "scan",
        "feedback",
        "review",
        "model",
        "rollout",
        "pipeline",
        "db",
        "token",
    ]
    assert [word for word in words if word not in done.stdout] == []


def test_no_command_at_all_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main([])
    assert done.value.code == 1
    assert "shieldctl" in capsys.readouterr().out


def test_the_version_is_that_of_the_package(tmp_path: Path) -> None:
    done = shieldctl("--version", home=tmp_path / "home")
    assert done.stdout == f"shieldctl {metadata.version('antispam-shield')}\n"
    assert not (tmp_path / "home").exists()


def test_a_shell_completes_commands_and_their_choices(tmp_path: Path) -> None:
    for typed, place, offered in (("mod", 1, "model"), ("model show ", 3, "sms\nphishing\nvoice")):
        done = subprocess.run(
            [sys.executable, "-m", "cli.main"],
            env={
                **os.environ,
                "_SHIELDCTL_COMPLETE": "complete_bash",
                "COMP_WORDS": f"shieldctl {typed}",
                "COMP_CWORD": str(place),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        assert done.stdout.strip() == offered, done.stderr


def test_token_alone_prints_one_s_own_token(tmp_path: Path) -> None:
    done = shieldctl("token", home=tmp_path / "home")
    claims = jwt.decode(
        done.stdout.strip(),
        Home.open(tmp_path / "home").jwt_secret(),
        algorithms=["HS256"],
        audience="antispam-shield",
    )
    assert claims["roles"] == ["user", "reviewer", "admin"]


def test_the_doctor_names_a_cure_for_whatever_is_wrong(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert shieldctl("doctor", home=home).returncode == 0
    assert not home.exists(), "it changes nothing"
    shieldctl("model", "keygen", home=home)
    (home / "keys" / "signing.pem").chmod(0o644)
    Home.open(home).announce("http://127.0.0.1:1")
    done = shieldctl("doctor", "--json", home=home)
    assert done.returncode == 1
    found = {each["check"]: each for each in json.loads(done.stdout)["findings"]}
    assert found["data directory"]["state"] == "good"
    assert found["keys"]["state"] == "bad"
    assert "chmod 600" in found["keys"]["cure"]
    assert found["services"]["state"] == "bad"
    assert "does not answer" in found["services"]["found"]
    (home / "VERSION").write_text("99\n")
    done = shieldctl("doctor", home=home)
    told = " ".join(done.stdout.split())
    assert "has layout 99" in told
    assert "Name another directory with --data-dir" in told
