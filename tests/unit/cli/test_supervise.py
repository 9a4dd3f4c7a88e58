import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.supervise import Part, Supervisor, supervised
from shield.errors import Misconfigured, Unavailable
from tests.support.waiting import PATIENCE_SECONDS, alive, wait_until

SLEEPER = "import time, pathlib, sys; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"


def part(folder: Path, code: str = SLEEPER, **options: object) -> Part:
    ready = folder / "ready"
    return Part(
        name="part",
        command=[sys.executable, "-c", code, str(ready)],
        environment=dict(os.environ),
        ready=ready.exists,
        **options,  # type: ignore[arg-type]
    )


def test_a_part_is_ready_when_start_returns_and_gone_after_stop(tmp_path: Path) -> None:
    with supervised(tmp_path, tmp_path, print) as supervisor:
        supervisor.start(part(tmp_path))
        pid = supervisor._running[0].process.pid
        assert (tmp_path / "ready").exists()
    assert not alive(pid)


def test_a_part_that_cannot_start_says_why_in_one_sentence(tmp_path: Path) -> None:
    code = "import sys; print('port 80 is taken', file=sys.stderr); sys.exit(1)"
    with (
        supervised(tmp_path, tmp_path, print) as supervisor,
        pytest.raises(Misconfigured, match=r"part could not start: port 80 is taken"),
    ):
        supervisor.start(part(tmp_path, code))


def test_a_part_that_never_gets_ready_is_stopped(tmp_path: Path) -> None:
    slow = part(tmp_path, "import time; time.sleep(600)", ready_timeout_seconds=0.3)
    with supervised(tmp_path, tmp_path, print) as supervisor:
        with pytest.raises(Unavailable, match="not ready after"):
            supervisor.start(slow)
        pid = supervisor._running[0].process.pid
    assert not alive(pid)


def test_a_part_that_dies_is_started_again_and_the_user_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    with supervised(tmp_path, tmp_path, told.append) as supervisor:
        supervisor.start(part(tmp_path))
        first = supervisor._running[0].process.pid
        os.kill(first, signal.SIGKILL)
        (tmp_path / "ready").unlink()

        def again() -> bool:
            supervisor.tend()
            return (tmp_path / "ready").exists()

        wait_until(again)
        assert supervisor._running[0].process.pid != first
    assert "killed by SIGKILL" in told[0]
    assert "started again" in told[1]


def test_a_part_that_keeps_dying_is_started_less_and_less_often(tmp_path: Path) -> None:
    told: list[str] = []
    supervisor = Supervisor(tmp_path, tmp_path, told.append)
    supervisor.start(part(tmp_path))
    for pause in (0.5, 1, 2, 4, 8, 16, 30, 30):
        running = supervisor._running[0]
        running.process.kill()
        running.process.wait()
        before = time.monotonic()
        supervisor.tend()
        after = time.monotonic()
        assert running.due is not None
        assert before <= running.due - pause <= after
        running.due = time.monotonic()
        supervisor.tend()
    supervisor.stop()


def test_a_part_that_ignores_sigterm_is_killed_with_its_children(tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, sys, time, pathlib\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "pathlib.Path(sys.argv[1] + '.pid').write_text(str(child.pid))\n"
        "pathlib.Path(sys.argv[1]).touch(); time.sleep(600)\n"
    )
    with supervised(tmp_path, tmp_path, print) as supervisor:
        supervisor.start(part(tmp_path, code, stop_timeout_seconds=0.3))
        child = int((tmp_path / "ready.pid").read_text())
        assert alive(child)
    wait_until(lambda: not alive(child))


def test_parts_die_with_a_supervisor_that_is_killed_without_warning(tmp_path: Path) -> None:
    script = (
        "import os, sys, signal; from pathlib import Path; from cli.supervise import *\n"
        "folder = Path(sys.argv[1]); ready = folder / 'ready'\n"
        "command = [sys.executable, '-c', sys.argv[2], str(ready)]\n"
        "s = Supervisor(folder, folder, print)\n"
        "s.start(Part('part', command, dict(os.environ), ready.exists))\n"
        "(folder / 'pid').write_text(str(s._running[0].process.pid))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path), SLEEPER], check=False)
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not alive(pid))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_way_of_asking_to_end_stops_all_parts(tmp_path: Path, number: signal.Signals) -> None:
    script = (
        "import os, sys, time; from pathlib import Path; from cli.supervise import *\n"
        "folder = Path(sys.argv[1]); ready = folder / 'ready'\n"
        "command = [sys.executable, '-c', sys.argv[2], str(ready)]\n"
        "with supervised(folder, folder, print) as s:\n"
        "    s.start(Part('part', command, dict(os.environ), ready.exists))\n"
        "    (folder / 'pid').write_text(str(s._running[0].process.pid))\n"
        "    time.sleep(600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), SLEEPER], stderr=subprocess.DEVNULL
    )
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    process.send_signal(number)
    process.wait(PATIENCE_SECONDS)
    assert not alive(int((tmp_path / "pid").read_text()))
