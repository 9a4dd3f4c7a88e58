"""A real Kubernetes control plane for the tests, built from Go modules and run on loopback.

Kubernetes 1.37.2 with etcd 3.7.0; kwok 0.8.0 plays the node, so Deployments become Available and
Jobs Complete without a container. Helm 4.3.1 and kubectl come along. `binaries` makes them present,
`plane` runs them.
"""

from tests.support.controlplane.binaries import ensure_binaries
from tests.support.controlplane.plane import ControlPlane, control_plane

__all__ = ["ControlPlane", "control_plane", "ensure_binaries"]
