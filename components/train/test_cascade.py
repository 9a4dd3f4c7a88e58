"""Where the linear half may answer alone."""

import numpy as np
import pytest

from components.train.cascade import bounds, share_alone
from shield.packages import Margin

MARGIN = Margin(encoder=1.0, linear=1.0, bias=0.0)


def drawn(seed: int, apart: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return log odds of both halves and the truth of 3,000 messages, one in six a scam."""
    rng = np.random.default_rng(seed)
    scam = rng.random(3000) < 1 / 6
    sign = np.where(scam, 1.0, -1.0)
    linear = rng.normal(sign * apart, 1.0)
    return rng.normal(sign * 4, 1.0), linear, scam


@pytest.mark.parametrize("seed", range(5))
def test_beyond_the_bounds_the_verdict_is_that_of_the_whole(seed: int) -> None:
    encoder, linear, scam = drawn(seed, 3.0)
    found = bounds(MARGIN, encoder, linear, scam, np.ones(scam.size))
    assert found is not None
    assert found.harmless is not None
    assert found.scam is not None
    assert share_alone(found, linear) > 0.5
    whole = encoder + linear >= 0
    alone = whole.copy()
    alone[linear <= found.harmless.beyond] = False
    alone[linear >= found.scam.beyond] = True
    assert (scam & whole & ~alone).sum() <= 0.001 * (scam & whole).sum() + 1
    assert not (~scam & ~whole & alone).any(), "no harmless message is flagged for it"
    for side, sign in ((found.harmless, -1), (found.scam, 1)):
        assert sign * (side.encoder + side.beyond) > 0, "the bound itself lies on its side"


def test_a_linear_half_that_tells_nothing_answers_nothing_alone() -> None:
    encoder, linear, scam = drawn(1, 0.0)
    assert bounds(MARGIN, encoder, linear, scam, np.ones(scam.size)) is None
    assert share_alone(None, linear) == 0
