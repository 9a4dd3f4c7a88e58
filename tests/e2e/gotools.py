"""Programs of the nodes that come as Go modules, and where their files are."""

import json
from pathlib import Path

from tests.e2e.shell import run

COREDNS = "github.com/coredns/coredns@v1.14.1"
GATEWAY_MODULE, GATEWAY_VERSION = "github.com/envoyproxy/gateway", "v1.9.1"
ENVOY_GATEWAY = f"{GATEWAY_MODULE}/cmd/envoy-gateway@{GATEWAY_VERSION}"


def module_folder(module: str, version: str) -> Path:
    """Return where Go keeps a module's files."""
    told = json.loads(run("go", "mod", "download", "-json", f"{module}@{version}", cwd=Path("/")))
    return Path(told["Dir"])
