"""One InferenceService holds what a rollout needs, whatever it held before."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.operator.kserve.arrange import MOST, Held, arrange
from shield.crds.v1alpha1 import ModelRollout, ModelRolloutStatus, Split, VersionRef
from tests.support.rollouts import spec, version

A, B, C = (version(name) for name in ("sms-a", "sms-b", "sms-c"))
DIGESTS = [one.digest for one in (A, B, C)]


def rollout(candidate: VersionRef | None = None, weight: float = 0) -> ModelRollout:
    split = Split(stable=A, stable_url="http://a", candidate=candidate, weight=weight)
    status = ModelRolloutStatus(stable=A, candidate=candidate, split=split)
    return ModelRollout(name="sms", uid="1", resource_version="1", spec=spec(), status=status)


@dataclass
class Service:
    """What KServe makes of a share: the latest is rolled out without one; less returns."""

    latest: str | None = None
    percent: int | None = None
    rolled_out: str | None = None
    before: str | None = None

    def take(self, latest: str | None, percent: int | None) -> None:
        self.latest = latest or self.latest
        self.percent = percent
        if percent is None:
            if self.rolled_out != self.latest:
                self.before, self.rolled_out = self.rolled_out, self.latest
        elif self.rolled_out == self.latest and self.before is not None:
            self.rolled_out = self.before

    def held(self) -> Held:
        return Held(self.latest, self.percent, self.rolled_out)


def at_rest(found: ModelRollout, servers: list[VersionRef], service: Service) -> Service:
    """Arrange until nothing changes."""
    for _ in range(5):
        before = service.held()
        wanted = arrange(found, servers, before)
        service.take(wanted.latest.digest if wanted.latest else None, wanted.percent)
        if service.held() == before:
            return service
    raise AssertionError(f"never at rest: {service}")


def test_the_first_version_is_rolled_out() -> None:
    assert at_rest(rollout(), [A], Service()) == Service(A.digest, None, A.digest, None)


@pytest.mark.parametrize(("weight", "percent"), [(0, 0), (10, 10), (50.4, 50), (100, MOST)])
def test_a_candidate_gets_its_share_and_never_all(weight: float, percent: int) -> None:
    service = at_rest(rollout(), [A], Service())
    at_rest(rollout(B, weight), [A, B], service)
    assert (service.latest, service.percent, service.rolled_out) == (B.digest, percent, A.digest)


def test_a_promoted_version_keeps_the_one_before_while_that_is_wanted() -> None:
    service = Service(B.digest, 10, A.digest)
    at_rest(rollout(), [B, A], service)
    assert (service.latest, service.percent, service.rolled_out) == (B.digest, MOST, A.digest)
    at_rest(rollout(), [B], service)
    assert (service.percent, service.rolled_out) == (None, B.digest)


def test_what_is_taken_back_answers_nobody() -> None:
    for percent in (10, MOST):
        service = at_rest(rollout(), [A], Service(B.digest, percent, A.digest))
        assert (service.percent, service.rolled_out) == (0, A.digest)


def test_a_candidate_goes_before_a_version_that_is_only_kept_warm() -> None:
    service = at_rest(rollout(C, 10), [B, A, C], Service(B.digest, MOST, A.digest))
    assert (service.latest, service.percent, service.rolled_out) == (C.digest, 10, B.digest)


holdings = st.builds(
    Service,
    st.sampled_from([None, *DIGESTS]),
    st.sampled_from([None, 0, 10, MOST]),
    st.sampled_from([None, *DIGESTS]),
    st.sampled_from([None, *DIGESTS]),
)
wishes = st.lists(st.sampled_from([A, B, C]), min_size=1, max_size=3, unique_by=lambda v: v.digest)


@given(holdings, wishes, st.booleans(), st.sampled_from([0.0, 10.0, 100.0]))
def test_from_anywhere_it_comes_to_rest_with_what_is_needed_most(
    service: Service, servers: list[VersionRef], trial: bool, weight: float
) -> None:
    candidate = servers[-1] if trial and len(servers) > 1 else None
    known = service.rolled_out is not None or service.latest is None
    service = at_rest(rollout(candidate, weight), servers, service)
    running = {service.latest, service.rolled_out}
    if known:
        assert servers[0].digest in running
        assert candidate is None or candidate.digest in running
    if service.latest not in {one.digest for one in servers}:
        assert service.percent == 0
