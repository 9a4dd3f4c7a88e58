"""The operator of a cluster, told where each version really answers: `... operator ADDRESSES.json`.

On the control plane of the tests kwok plays the pods, so nothing answers behind a Service. The
model servers of the benchmark are real processes; this names their addresses, by digest.
"""

import json
import sys
import threading
from pathlib import Path

from serving.operator.__main__ import wire
from serving.operator.log import log_to_stderr
from serving.operator.settings import ApiAccess, OperatorSettings
from shield.kube import Kube
from tests.support.operators import TEMPLATE


def main() -> None:
    """Run until SIGTERM."""
    log_to_stderr()
    addresses, settings = Path(sys.argv[1]), OperatorSettings()

    def address(digest: str, service: str) -> str:
        found: str = json.loads(addresses.read_text()).get(digest, f"http://{service}.invalid")
        return found

    kube = Kube.connect(settings.namespace)
    wire(kube, TEMPLATE, settings, ApiAccess(), address=address).run(threading.Event())


if __name__ == "__main__":
    main()
