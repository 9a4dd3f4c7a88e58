"""`python -m serving.server`: serve one model package."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from serving.server.lifecycle import ModelServer, die_with_parent, listen
from serving.server.repository import VersionSource
from serving.server.settings import ServerSettings
from shield.errors import ShieldError, Unavailable, Unusable
from shield.labels import ModelType

# Exit codes of sysexits.h, so that whoever starts the server knows whether trying again makes
# sense.
EXIT_FAILED = 1
EXIT_UNUSABLE = 65
"""EX_DATAERR: the package must never be served."""
EXIT_UNAVAILABLE = 69
"""EX_UNAVAILABLE: the artifact store does not answer."""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m serving.server",
        description="Serve one model package: /predict, Open Inference Protocol v2, /metrics.",
        epilog="Limits, threads and time-outs: SHIELD_SERVER_*, see docs/settings.md.",
    )
    parser.add_argument("--model-type", required=True, choices=[kind.value for kind in ModelType])
    parser.add_argument(
        "--package", required=True, help="a directory, or the prefix in the artifact store"
    )
    parser.add_argument("--digest", help="sha256:... of the package; needed for the artifact store")
    parser.add_argument("--version", required=True, help="name of the version, e.g. sms-v3")
    parser.add_argument(
        "--arm", default="stable", help="stable or candidate; named in every answer"
    )
    parser.add_argument("--host", help="address to listen on (SHIELD_SERVER_HOST)")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    parser.add_argument("--ready-file", type=Path, help="written with the port once warm and ready")
    parser.add_argument("--precision", choices=["int8", "fp32"])
    parser.add_argument(
        "--die-with-parent", action="store_true", help="stop when the starting process ends (Linux)"
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server and return its exit code."""
    options = parse(arguments)
    # Many texts at once are tokenised on one thread, too: the cores have rows to compute.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        if options.die_with_parent:
            die_with_parent()
        settings = ServerSettings()
        if options.precision:
            settings.precision = options.precision
        listener = listen(options.host or settings.host, options.port)
        source = VersionSource(options.package, options.version, options.arm, options.digest)
        server = ModelServer(options.model_type, source, settings, listener, options.ready_file)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.run())
    except Unusable as error:
        return _fail(error.message, EXIT_UNUSABLE)
    except Unavailable as error:
        return _fail(error.message, EXIT_UNAVAILABLE)
    except ShieldError as error:
        return _fail(error.message, EXIT_FAILED)
    return 0


def _fail(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201 - the last line of stderr is the reason
    return code


if __name__ == "__main__":
    sys.exit(main())
