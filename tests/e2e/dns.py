"""CoreDNS as the pod that NetworkPolicies let everybody ask: in kube-system, behind `kube-dns`."""

from typing import Any

from tests.e2e.images import COREDNS_IMAGE
from tests.e2e.node import DNS

NS, NAME = "kube-system", "coredns"
_COREFILE = ".:53 {\n  errors\n  ready\n  kubernetes cluster.local\n}\n"
_LABELS = {"k8s-app": "kube-dns"}


def objects(node: str) -> list[dict[str, Any]]:
    """Return what CoreDNS on `node` consists of."""
    metadata = {"name": NAME, "namespace": NS}
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": NS}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME}
    watched = ["endpoints", "services", "pods", "namespaces"]
    rules = [
        {"apiGroups": [""], "resources": watched, "verbs": ["list", "watch"]},
        {
            "apiGroups": ["discovery.k8s.io"],
            "resources": ["endpointslices"],
            "verbs": ["list", "watch"],
        },
    ]
    rbac = "rbac.authorization.k8s.io/v1"
    ports = [("dns", "UDP"), ("dns-tcp", "TCP")]
    listed = [{"name": name, "port": 53, "protocol": protocol} for name, protocol in ports]
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {"apiVersion": rbac, "kind": "ClusterRole", "metadata": {"name": NAME}, "rules": rules},
        {
            "apiVersion": rbac,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME},
            "roleRef": role,
            "subjects": [subject],
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {"Corefile": _COREFILE},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "selector": {"matchLabels": _LABELS},
                "template": {"metadata": {"labels": _LABELS}, "spec": _pod(node)},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kube-dns", "namespace": NS},
            "spec": {"clusterIP": DNS, "selector": _LABELS, "ports": listed},
        },
    ]


def _pod(node: str) -> dict[str, Any]:
    return {
        "serviceAccountName": NAME,
        "nodeSelector": {"kubernetes.io/hostname": node},
        "dnsPolicy": "Default",
        "containers": [
            {
                "name": NAME,
                "image": COREDNS_IMAGE,
                "imagePullPolicy": "Never",
                "args": ["-conf", "/etc/coredns/Corefile"],
                "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
                "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns"}],
            }
        ],
        "volumes": [{"name": "config", "configMap": {"name": NAME}}],
    }
