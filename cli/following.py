"""Show how a pipeline run goes: each step as it ends, and how far the present one is."""

import time
from collections.abc import Callable
from typing import Any

from cli.console import Terminal
from cli.retraining import Job, Progress

_POLL_SECONDS = 0.1
_PAUSE_SECONDS = 20.0
"""Between two lines about one step, where there is no live line."""


def follow(
    terminal: Terminal,
    start: Callable[[Callable[[Progress], None]], Job],
    *,
    tend: Callable[[], None] = lambda: None,
    indent: str = "  ",
) -> dict[str, Any]:
    """Start a run, show its steps until it ends, and return its answer; it is stopped on the way.

    On a terminal a live line says what the present step does and how long it still takes;
    elsewhere that is printed now and then.

    Args:
        terminal: Where to show it.
        start: Starts the run; takes what is called with its progress.
        tend: Called while the run works.
        indent: In front of each line.

    Raises:
        ShieldError: The run failed; the message is its own last line.
    """
    with terminal.busy(f"{indent}starting") as show:
        steps = Steps(terminal, show, indent)
        job = start(steps.tell)
        try:
            while not job.poll():
                tend()
                time.sleep(_POLL_SECONDS)
        finally:
            job.stop()
    return job.result()


class Steps:
    """Tells of the steps of one run."""

    def __init__(
        self,
        terminal: Terminal,
        show: Callable[[str], None],
        indent: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Tell on `terminal`; `show` changes its live line, if it has one."""
        self._terminal, self._show, self._indent, self._clock = terminal, show, indent, clock
        self._told = clock()

    def tell(self, progress: Progress) -> None:
        """Tell that a step began, how far it is, or that it ended."""
        name, detail = progress.name, progress.detail
        if progress.state == "started":
            self._told = self._clock()
            self._show(f"{self._indent}{name}")
        elif progress.state == "running":
            self._show(f"{self._indent}{name}: {detail}")
            if not self._terminal.live and self._clock() - self._told >= _PAUSE_SECONDS:
                self._told = self._clock()
                self._terminal.say(f"{self._indent}[quiet]{name}: {detail}[/]")
        elif progress.state == "failed":
            self._terminal.say(f"{self._indent}[bad]{name:<18}failed[/] {detail}")
        else:
            told = f"  [quiet]{detail}[/]" if detail else ""
            self._terminal.say(f"{self._indent}{name:<18}{progress.seconds or 0:6.1f} s{told}")
