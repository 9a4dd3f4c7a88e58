"""Keep the lease on a run's batch while one of its steps works.

A lease says that a run is alive. It has to outlast a step that waits for a machine; a step that
works for longer than that renews it.
"""

import json
import logging
import threading
from collections.abc import Callable

from components.shared.environment import StepSettings, open_client
from shield.errors import LeaseLost, NotFound, ShieldError
from shield.run_files import Lease

log = logging.getLogger(__name__)

_RENEWALS_PER_LEASE = 3
"""Two in a row may fail, and the lease still stands."""


def keep_lease(
    lease: Lease | None, settings: StepSettings, *, every_seconds: float | None = None
) -> Callable[[], None]:
    """Renew a lease at once, and then again and again until this process ends.

    An API that does not answer is asked again the next time. A lease that is lost is logged; the
    work goes on, and `register` will not settle a batch that has gone to another run.

    Args:
        lease: None where the run holds no batch.
        settings: Without `api_url` (a step that is run alone, on files) nothing is renewed.
        every_seconds: Time between two renewals; by default a third of the lease.

    Returns:
        What ends the renewing earlier than the process.
    """
    ended = threading.Event()
    if lease is not None and settings.api_url is not None:
        pause_seconds = every_seconds or lease.seconds / _RENEWALS_PER_LEASE
        threading.Thread(
            target=_renew, args=(lease, settings, pause_seconds, ended), name="lease", daemon=True
        ).start()
    return ended.set


def _renew(
    lease: Lease, settings: StepSettings, pause_seconds: float, ended: threading.Event
) -> None:
    while not ended.is_set():
        try:
            with open_client(settings) as client:  # opened anew: a token may have been rotated
                client.renew_batch(lease.batch, lease.run_id, lease.seconds)
        except (LeaseLost, NotFound) as error:
            log.error(json.dumps({"event": "lease-lost", "batch": lease.batch, "why": str(error)}))
            return
        except ShieldError as error:
            log.warning(json.dumps({"event": "lease-not-renewed", "why": str(error)}))
        ended.wait(pause_seconds)
