"""Programs of the node that come as Go modules: built once, kept with the images."""

import json
from pathlib import Path

from tests.e2e.shell import run, say

COREDNS = "github.com/coredns/coredns@v1.14.1"
GATEWAY_MODULE, GATEWAY_VERSION = "github.com/envoyproxy/gateway", "v1.9.1"
ENVOY_GATEWAY = f"{GATEWAY_MODULE}/cmd/envoy-gateway@{GATEWAY_VERSION}"


def program(folder: Path, package: str, minutes: str) -> Path:
    """Return the program of a Go package, building it into `folder` if it is not there.

    Args:
        folder: Where it is kept.
        package: With its version, e.g. `example.org/cmd/thing@v1`.
        minutes: How long the build takes on two cores; said while it runs.
    """
    path = folder / package.partition("@")[0].rpartition("/")[2]
    if not path.exists():
        say(f"building {package} (about {minutes} minutes)")
        folder.mkdir(parents=True, exist_ok=True)
        run("env", f"GOBIN={folder}", "CGO_ENABLED=0", "go", "install", package)
    return path


def module_folder(module: str, version: str) -> Path:
    """Return where Go keeps a module's files."""
    told = json.loads(run("go", "mod", "download", "-json", f"{module}@{version}", cwd=Path("/")))
    return Path(told["Dir"])
