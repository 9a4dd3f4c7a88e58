"""Processor time of processes: who of those that share two cores takes how much of them."""

import os
import resource
from contextlib import suppress
from pathlib import Path

from tests.support.postgres import postgres_server
from tests.support.system import descendants

_OWN = slice(11, 13)
_WITH_ENDED_CHILDREN = slice(11, 15)
"""Fields of `/proc/PID/stat` after the name: user and system time, then those of children."""


def cpu_seconds(pid: int, *, alone: bool = False) -> float:
    """Return the processor time of a process, and of its descendants unless `alone`."""
    return sum(_seconds(one, _OWN) for one in (pid, *(() if alone else descendants(pid))))


def database_seconds() -> float:
    """Return the processor time of the benchmark's PostgreSQL, ended connections included."""
    pid = int((Path(postgres_server().pgdata) / "postmaster.pid").read_text().split()[0])
    return _seconds(pid, _WITH_ENDED_CHILDREN) + cpu_seconds(pid) - _seconds(pid, _OWN)


def ended_children_seconds() -> float:
    """Return the processor time of this process's children that have ended, such as pgbench."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _seconds(pid: int, fields: slice) -> float:
    with suppress(FileNotFoundError):
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, stat[fields])) / os.sysconf("SC_CLK_TCK")
    return 0.0
