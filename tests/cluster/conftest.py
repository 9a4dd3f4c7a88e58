"""What the tests on the control plane share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.controlplane import ControlPlane

CRD = Path(__file__).parents[2] / "manifests/crds/modelrollouts.yaml"


@pytest.fixture(scope="session")
def cluster(control_plane: ControlPlane) -> ControlPlane:
    """The control plane, knowing ModelRollouts."""
    control_plane.run("apply", "--server-side", "-f", str(CRD))
    control_plane.run("wait", "--for=condition=Established", "crd/modelrollouts.antispamshield.io")
    return control_plane


@pytest.fixture
def namespace(cluster: ControlPlane) -> Iterator[str]:
    """A namespace of one's own."""
    with cluster.namespace() as name:
        yield name
