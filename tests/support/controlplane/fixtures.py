"""The control plane as fixtures: one per test session and worker.

Mark users with `pytest.mark.cluster` and `pytest.mark.xdist_group("cluster")`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.controlplane import ControlPlane
from tests.support.controlplane import control_plane as run_control_plane
from tests.support.crds import established

CRD = Path(__file__).parents[3] / "manifests/crds/modelrollouts.yaml"


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A running control plane, shared by the session: keep to a namespace of your own."""
    with run_control_plane(tmp_path_factory.mktemp("controlplane")) as plane:
        yield plane


@pytest.fixture(scope="session")
def cluster(control_plane: ControlPlane) -> ControlPlane:
    """The control plane, knowing ModelRollouts."""
    established(control_plane, CRD)
    return control_plane


@pytest.fixture
def namespace(cluster: ControlPlane) -> Iterator[str]:
    """A namespace of one's own."""
    with cluster.namespace() as name:
        yield name
