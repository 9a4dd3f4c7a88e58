"""Partitions of the operator: cut off from the API, and from the API server of a cluster.

While it is cut off nothing may be promoted, whoever is told a verdict goes on being told, and what
was asked for meanwhile must come about once the network is back.
"""

import itertools
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from bench.faults.ledger import Account
from bench.faults.proxy import Proxy
from bench.faults.runs import Report
from bench.rollout.load import Load
from bench.rollout.packages import make_version
from serving.operator.witness import API_TIMEOUT_SECONDS
from shield.crds.v1alpha1 import Step, VersionRef
from tests.support import stands
from tests.support.rollouts import spec
from tests.support.stands import Stand
from tests.support.waiting import wait_until

STANDS = {"API": stands.laptop, "API server": stands.cluster}
MODES = {"silent": API_TIMEOUT_SECONDS + 2, "closed": 2.0, "half": 2.0}
"""How the network is broken, and for how many seconds: packets are dropped for longer than a call
of the operator lasts."""
_STEPS = [Step(weight=50, duration_seconds=0.1, minimum_exposures=1)]
"""One step that needs a look at what users were told, and so the API."""


def name_of(place: str) -> str:
    """Return what the kind is called in the results."""
    return f"operator cut off from the {place} ({', '.join(MODES)})"


def cut_off(place: str, runs: int) -> Report:
    """Cut the operator off from `place`, one way after another, while a version is asked for."""
    healed, gaps, proxies = list[float](), list[float](), list[Proxy]()

    def way(url: str) -> str:
        proxies.append(Proxy(url))
        # The API server's certificate is good for the loopback, whatever the port.
        return f"{urlsplit(url).scheme}://{urlsplit(proxies[-1].url).netloc}"

    with (
        tempfile.TemporaryDirectory(prefix="shield-faults-") as folder,
        STANDS[place](Path(folder), way) as stand,
    ):
        (proxy,) = proxies
        present = _released(stand, 1)
        load = Load(stand).start()
        try:
            wait_until(lambda: len(load.answers) > 0)
            for number, (mode, seconds) in zip(
                range(2, runs + 2), itertools.cycle(MODES.items()), strict=False
            ):
                version = make_version(stand.folder, number)
                stand.prepare(version)
                with proxy.broken(mode):
                    began = time.monotonic()
                    stand.ask(version=version)
                    time.sleep(seconds)
                    seen = stand.store.get("sms").status.stable
                    assert seen == present, f"{seen} came without a look at the evidence"
                ended = time.monotonic()
                stand.until_stable(version)
                healed.append(time.monotonic() - ended)
                gaps.append(_gap(load, began))
                present = version
        finally:
            load.stop()
            proxy.close()
        failed = len(load.failed)
    return Report(
        name_of(place),
        "sqlite",
        runs,
        healed,
        Account(0, 0, 0, 0),
        told={"scans without a verdict": failed} if failed else {},
        gaps_seconds=gaps,
    )


def _released(stand: Stand, number: int) -> VersionRef:
    version = make_version(stand.folder, number)
    stand.prepare(version)
    stand.store.change_spec("sms", lambda _: spec(version=version, steps=_STEPS))
    stand.until_stable(version)
    return version


def _gap(load: Load, since: float) -> float:
    came = sorted(at for at, _ in load.answers if at > since)
    return max((b - a for a, b in itertools.pairwise([since, *came])), default=0.0)
