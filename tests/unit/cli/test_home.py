import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cli.home import LAYOUT, Home, write_once, write_whole
from shield.errors import Misconfigured


def test_a_new_data_directory_holds_its_layout_number(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    assert (home.root / "VERSION").read_text() == f"{LAYOUT}\n"
    assert stat.S_IMODE(home.keys.stat().st_mode) == 0o700


def test_a_directory_of_a_newer_version_is_refused_with_the_cure(tmp_path: Path) -> None:
    Home.open(tmp_path / "home")
    (tmp_path / "home" / "VERSION").write_text(f"{LAYOUT + 1}\n")
    with pytest.raises(Misconfigured, match=r"newer version.*Upgrade antispam-shield"):
        Home.open(tmp_path / "home")


@pytest.mark.parametrize("content", ["", "one", "-1", "1.5"])
def test_a_layout_number_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    Home.open(tmp_path / "home")
    (tmp_path / "home" / "VERSION").write_text(content)
    with pytest.raises(Misconfigured, match="no layout number"):
        Home.open(tmp_path / "home")


def test_a_folder_with_other_files_is_never_taken_over(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("hard work")
    with pytest.raises(Misconfigured, match="no VERSION file"):
        Home.open(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.tex"]


def test_a_file_is_no_data_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match="is a file"):
        Home.open(tmp_path / "file")


def test_a_first_start_that_was_killed_leaves_a_directory_that_opens(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".VERSION.x81k").touch()  # killed between writing and naming it
    assert Home.open(tmp_path / "home").root.is_dir()


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    home.make_keys()
    files = [path for path in home.keys.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"signing.pem", "jwt-secret", "messages.json"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    before = {path: path.read_bytes() for path in files}
    home.make_keys()
    assert {path: path.read_bytes() for path in before} == before


def test_the_signing_key_is_trusted_by_this_installation(tmp_path: Path) -> None:
    from shield.packages import Trust, load_private_key
    from shield.packages.keys import key_id

    home = Home.open(tmp_path / "home")
    home.make_keys()
    trust = Trust.from_directory(home.trusted_keys)
    assert key_id(load_private_key(home.signing_key).public_key()) in trust.keys


def test_two_first_starts_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(write_once(tmp_path / "k", b"%d" % n)))
        for n in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["k"]


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    write_whole(tmp_path / "report.json", b"old")
    with pytest.raises(TypeError):
        write_whole(tmp_path / "report.json", "no bytes")  # type: ignore[arg-type]
    assert (tmp_path / "report.json").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_second_instance_on_the_same_directory_is_told_who_holds_it(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    with (
        home.running(),
        pytest.raises(Misconfigured, match=f"process {os.getpid()}"),
        Home.open(tmp_path / "home").running(),
    ):
        pass


def test_the_directory_is_free_again_after_its_holder_was_killed(tmp_path: Path) -> None:
    root = tmp_path / "home"
    script = (
        "import sys, os, signal; from pathlib import Path; from cli.home import Home\n"
        "home = Home.open(Path(sys.argv[1])); context = home.running(); context.__enter__()\n"
        "home.announce('http://127.0.0.1:1'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(root)], check=False)
    home = Home.open(root)
    assert home.announced() is not None  # left behind
    with home.running():
        assert home.announced() is None


def test_the_announcement_names_the_url_while_the_services_run(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    with home.running():
        home.announce("http://127.0.0.1:8642")
        assert json.loads((home.root / "server.json").read_text())["pid"] == os.getpid()
    assert home.announced() is None
