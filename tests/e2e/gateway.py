"""Envoy Gateway by its own chart: the way in that the HTTPRoutes of phones and staff hang on."""

import json
import shutil
from pathlib import Path

import httpx
import yaml

from tests.e2e import images
from tests.e2e.cluster import Cluster
from tests.e2e.gotools import GATEWAY_MODULE, GATEWAY_VERSION, module_folder
from tests.e2e.shell import say, wait_for

NS = "envoy-gateway-system"
HOST = "shield.example.org"
STAFF_PORT = 8081
_GROUP = "gateway.envoyproxy.io"


def install(cluster: Cluster) -> tuple[str, str]:
    """Install Envoy Gateway and one Gateway, and return the URLs for phones and for staff."""
    chart = cluster.state / "gateway-helm"
    source = module_folder(GATEWAY_MODULE, GATEWAY_VERSION) / "charts/gateway-helm"
    shutil.copytree(source, chart, copy_function=shutil.copyfile)
    values = (source / "values.tmpl.yaml").read_text()
    values = values.replace("${GatewayImage}", images.GATEWAY)
    (chart / "values.yaml").write_text(values.replace("${GatewayImagePullPolicy}", "Never"))
    # One replica: were it drained, Envoy would hear for seconds of no pod that goes or comes.
    pinned = {"deployment": {"pod": {"nodeSelector": _on(cluster.kept.name)}}}
    (chart / "pinned.yaml").write_text(yaml.safe_dump(pinned))
    cluster.kubectl("create", "namespace", NS)
    options: list[str | Path] = [
        "-n",
        NS,
        "-f",
        chart / "pinned.yaml",
        "--wait",
        "--timeout",
        "300s",
    ]
    cluster.helm("install", "eg", chart, *options)
    for found in _objects(cluster.kept.name):
        cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(found))
    wait_for("the Gateway", lambda: _programmed(cluster), 300)
    say("Envoy Gateway is installed, and its Gateway is programmed")
    return urls(cluster)


def urls(cluster: Cluster) -> tuple[str, str]:
    """Return the URLs of the installed gateway for phones and for staff."""
    url = f"http://{_service(cluster)['spec']['clusterIP']}"
    return url, f"{url}:{STAFF_PORT}"


class ByHost(httpx.HTTPTransport):
    """Calls the gateway's address by the phone API's host name, as a phone does that asked DNS."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request with the host name."""
        request.headers["Host"] = HOST
        return super().handle_request(request)


def wait_for_routes(url: str, staff_url: str) -> None:
    """Wait until Envoy routes phones and staff, and see that it routes nothing else."""
    with httpx.Client(base_url=url, transport=ByHost()) as phone:
        wait_for("the route", lambda: phone.get("/api/v2/users/me").status_code == 401, 60)
        closed = ["/review", "/metrics", "/readyz", "/api/v2/rollouts/sms", "/api/v2/models/sms"]
        for path in closed:
            answer = phone.get(path)
            assert (answer.status_code, answer.content) == (404, b""), f"{path} is open"
    with httpx.Client(base_url=url) as stranger:
        for host in ("other.example.org", "antispam-shield-api"):
            answer = stranger.get("/api/v2/users/me", headers={"Host": host})
            assert (answer.status_code, answer.content) == (404, b""), f"{host} is routed"
    with httpx.Client(base_url=staff_url) as staff:
        wait_for("the staff's route", lambda: staff.get("/review").status_code == 303, 60)
    say(f"Envoy routes {HOST} and the staff; other hosts and {', '.join(closed)} get nothing")


def _on(node: str) -> dict[str, str]:
    return {"kubernetes.io/hostname": node}


def _objects(node: str) -> list[dict[str, object]]:
    # A cluster without load balancers would never call a Gateway of that type programmed. Envoy
    # stays on the node that is not drained: its own fail-over is not what is tested.
    kubernetes = {
        "envoyService": {"type": "ClusterIP"},
        "envoyDeployment": {
            "container": {"image": images.ENVOY},
            "pod": {"nodeSelector": _on(node)},
        },
    }
    proxy = {"group": _GROUP, "kind": "EnvoyProxy", "name": "on-the-node", "namespace": NS}
    routes = {"allowedRoutes": {"namespaces": {"from": "All"}}}
    listeners = [
        {"name": "http", "port": 80, "protocol": "HTTP", **routes},
        {"name": "staff", "port": STAFF_PORT, "protocol": "HTTP", **routes},
    ]
    return [
        {
            "apiVersion": f"{_GROUP}/v1alpha1",
            "kind": "EnvoyProxy",
            "metadata": {"name": "on-the-node", "namespace": NS},
            "spec": {"provider": {"type": "Kubernetes", "kubernetes": kubernetes}},
        },
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "GatewayClass",
            "metadata": {"name": "envoy"},
            "spec": {"controllerName": f"{_GROUP}/gatewayclass-controller", "parametersRef": proxy},
        },
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {"name": "gateway", "namespace": NS},
            "spec": {"gatewayClassName": "envoy", "listeners": listeners},
        },
    ]


def _programmed(cluster: Cluster) -> bool:
    status = 'jsonpath={.status.conditions[?(@.type=="Programmed")].status}'
    return cluster.kubectl("-n", NS, "get", "gateway", "gateway", "-o", status) == "True"


def _service(cluster: Cluster) -> dict[str, dict[str, str]]:
    owner = f"{_GROUP}/owning-gateway-name=gateway"
    found = json.loads(cluster.kubectl("-n", NS, "get", "services", "-l", owner, "-o", "json"))
    service: dict[str, dict[str, str]] = found["items"][0]
    return service
