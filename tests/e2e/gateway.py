"""Envoy Gateway on the node, by its own chart: the way in that the phone's HTTPRoute hangs on."""

import json
import shutil

import httpx
import yaml

from tests.e2e import images
from tests.e2e.gotools import GATEWAY_MODULE, GATEWAY_VERSION, module_folder
from tests.e2e.node import Node
from tests.e2e.shell import say, wait_for

NS = "envoy-gateway-system"
HOST = "shield.example.org"
_GROUP = "gateway.envoyproxy.io"


def install(node: Node) -> str:
    """Install Envoy Gateway and one Gateway, and return the URL of Envoy's Service."""
    chart = node.state / "gateway-helm"
    source = module_folder(GATEWAY_MODULE, GATEWAY_VERSION) / "charts/gateway-helm"
    shutil.copytree(source, chart, copy_function=shutil.copyfile)
    values = (source / "values.tmpl.yaml").read_text()
    values = values.replace("${GatewayImage}", images.GATEWAY)
    (chart / "values.yaml").write_text(values.replace("${GatewayImagePullPolicy}", "Never"))
    node.kubectl("create", "namespace", NS)
    node.helm("install", "eg", chart, "-n", NS, "--wait", "--timeout", "300s")
    for found in _objects():
        node.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(found))
    wait_for("the Gateway", lambda: _programmed(node), 300)
    say("Envoy Gateway is installed, and its Gateway is programmed")
    return f"http://{_service(node)['spec']['clusterIP']}"


class ByHost(httpx.HTTPTransport):
    """Calls the gateway's address by the phone API's host name, as a phone does that asked DNS."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request with the host name."""
        request.headers["Host"] = HOST
        return super().handle_request(request)


def wait_for_route(url: str) -> None:
    """Wait until Envoy routes the phone's host, and see that it routes nothing else."""
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
    say(f"Envoy routes {HOST}; other hosts and {', '.join(closed)} get nothing")


def _objects() -> list[dict[str, object]]:
    # A cluster without load balancers would never call a Gateway of that type programmed.
    kubernetes = {
        "envoyService": {"type": "ClusterIP"},
        "envoyDeployment": {"container": {"image": images.ENVOY}},
    }
    proxy = {"group": _GROUP, "kind": "EnvoyProxy", "name": "on-the-node", "namespace": NS}
    listener = {
        "name": "http",
        "port": 80,
        "protocol": "HTTP",
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
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
            "spec": {"gatewayClassName": "envoy", "listeners": [listener]},
        },
    ]


def _programmed(node: Node) -> bool:
    status = 'jsonpath={.status.conditions[?(@.type=="Programmed")].status}'
    return node.kubectl("-n", NS, "get", "gateway", "gateway", "-o", status) == "True"


def _service(node: Node) -> dict[str, dict[str, str]]:
    owner = f"{_GROUP}/owning-gateway-name=gateway"
    found = json.loads(node.kubectl("-n", NS, "get", "services", "-l", owner, "-o", "json"))
    service: dict[str, dict[str, str]] = found["items"][0]
    return service
