"""A benchmark that is stopped leaves no server behind."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[3] / "bench"
CHILDREN = {"front.py", "operator.py", "raw.py", "pages.py"}
"""Programs that a benchmark starts and ends itself, as it does peers; and one that starts none."""
_PROGRAM = """
import subprocess, sys, time
from bench.ending import end_in_order, stop
end_in_order()
server = subprocess.Popen(
    [sys.executable, "-c", "import sys, time; print('up', flush=True); time.sleep(600)"],
    start_new_session=True,  # as the servers: they hear nothing of the terminal
)
try:
    print(server.pid, flush=True)
    time.sleep(600)
finally:
    stop(server)
    print("ended", server.poll(), flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_stops_a_benchmark_stops_its_servers(how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, text=True, cwd=BENCH.parent
    ) as program:
        assert program.stdout is not None
        # Both lines: the server runs, and the benchmark is in its `try`.
        assert {program.stdout.readline().strip().isdigit() for _ in range(2)} == {True, False}
        program.send_signal(how)
        program.send_signal(how)
        assert program.stdout.read().split() == ["ended", str(-signal.SIGTERM)]
    assert program.returncode == 128 + how


def test_every_benchmark_ends_in_order() -> None:
    main = 'if __name__ == "__main__":\n'
    programs = {
        str(path.relative_to(BENCH)): path.read_text()
        for path in BENCH.rglob("*.py")
        if path.name not in CHILDREN and path.parent.name != "peers"
    }
    programs = {name: source for name, source in programs.items() if main in source}
    assert len(programs) >= 15
    assert [
        name for name, text in programs.items() if f"{main}    end_in_order()" not in text
    ] == []
