"""The control plane as a fixture: one per test session and worker. Mark users with
`xdist_group("cluster")`."""

from collections.abc import Iterator

import pytest

from tests.cluster.controlplane import ControlPlane
from tests.cluster.controlplane import control_plane as run_control_plane


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A running control plane, shared by the session: keep to a namespace of your own."""
    with run_control_plane(tmp_path_factory.mktemp("controlplane")) as plane:
        yield plane
