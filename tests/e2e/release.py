"""The release on the cluster: installed on prepared volumes, tested by Helm, and taken away."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.e2e.cluster import Cluster
from tests.e2e.shell import say, wait_for
from tests.e2e.story import NS, RELEASE


def install(cluster: Cluster, chart: Sequence[str | Path]) -> None:
    """Install the chart in a namespace that refuses root and privileges.

    Args:
        cluster: The cluster.
        chart: What `helm install` is given.
    """
    _volumes(cluster)
    level = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("create", "namespace", NS)
    cluster.kubectl("label", "namespace", NS, level)
    cluster.helm("install", *chart)
    say("the chart is installed in a restricted namespace")


def check(cluster: Cluster) -> None:
    """Run the chart's own test."""
    cluster.helm("test", RELEASE, "-n", NS, "--logs")
    say("helm test passed")


def uninstall(cluster: Cluster) -> None:
    """Take everything away, and see what stays at each step."""
    cluster.helm("uninstall", RELEASE, "-n", NS, "--wait", "--timeout", "120s")
    kinds = cluster.kubectl("api-resources", "--namespaced", "--verbs=list", "-o", "name").split()
    kinds = [kind for kind in kinds if "events" not in kind]
    listed = ["-n", NS, "get", ",".join(kinds), "-o", "name", "--ignore-not-found"]
    kept = {
        f"modelrollout.antispamshield.io/{type_}" for type_ in ("sms",)
    } | {
        f"secret/{RELEASE}-{name}" for name in ("keys", "signing", "trusted-keys")
    } | {
        f"persistentvolumeclaim/data-{RELEASE}-{name}-0" for name in ("postgresql", "seaweedfs")
    }  # fmt: skip

    def stays() -> set[str]:
        return set(cluster.kubectl(*listed).split()) - _of_the_cluster() - _of_rollouts(cluster)

    wait_for("the end of the release's pods", lambda: not stays() - kept, 120)
    assert stays() == kept, f"after the uninstall there are {sorted(stays())}"
    say(f"uninstalled; what is kept on purpose: {', '.join(sorted(kept))}")
    cluster.kubectl("-n", NS, "delete", "modelrollouts", "--all", "--timeout=60s")
    wait_for("the last pod's end", lambda: "/" not in _pods(cluster), 120)
    for name in ("keys", "signing", "trusted-keys"):
        cluster.kubectl("-n", NS, "delete", "secret", f"{RELEASE}-{name}")
    cluster.kubectl("-n", NS, "delete", "pvc", "--all", "--timeout=60s")
    left = set(cluster.kubectl(*listed).split()) - _of_the_cluster()
    assert left == set(), f"left behind: {sorted(left)}"
    cluster_wide = "clusterroles,clusterrolebindings,validatingwebhookconfigurations"
    named = cluster.kubectl("get", cluster_wide, "-o", "name")
    assert RELEASE not in named, named
    cluster.kubectl("delete", "namespace", NS, "--timeout=120s")
    say("rollouts, keys and volume claims removed; nothing is left")


def _of_the_cluster() -> set[str]:
    """Return what Kubernetes puts into every namespace."""
    return {"configmap/kube-root-ca.crt", "serviceaccount/default"}


def _of_rollouts(cluster: Cluster) -> set[str]:
    """Return what belongs to the rollouts, which stay until they are deleted."""
    kinds = "deployments,replicasets,services,pods,endpoints,endpointslices,poddisruptionbudgets"
    labels = ["-l", "antispamshield.io/rollout=sms"]
    return set(cluster.kubectl("-n", NS, "get", kinds, *labels, "-o", "name").split())


def _pods(cluster: Cluster) -> str:
    return cluster.kubectl("-n", NS, "get", "pods", "-o", "name")


def _volumes(cluster: Cluster) -> None:
    """Make a volume for each StatefulSet, so that their data outlives their pods."""
    for name, user in (("postgresql", 999), ("seaweedfs", 1000)):
        path = cluster.state / "volumes" / name
        path.mkdir(parents=True)
        shutil.chown(path, user, user)
        claim = {"namespace": NS, "name": f"data-{RELEASE}-{name}-0"}
        host = {"key": "kubernetes.io/hostname", "operator": "In", "values": [cluster.kept.name]}
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {
                "capacity": {"storage": "10Gi"},
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "manual",
                "claimRef": claim,
                "hostPath": {"path": str(path)},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [host]}]}},
            },
        }
        cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(volume))
