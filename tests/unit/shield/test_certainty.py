"""How far from the operating point a verdict must lie to be sure."""

import numpy as np
import pytest

from components.train.operating_point import fair_weights
from shield.metrics import band
from shield.metrics.certainty import WITHOUT_PROOF


def drawn(seed: int, scams: int, hams: int, apart: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scam = np.arange(scams + hams) < scams
    return rng.normal(np.where(scam, apart, -apart), 1.5), scam


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("scams", "hams", "apart"), [(400, 4000, 2.0), (3000, 3000, 2.5)])
def test_on_messages_drawn_anew_sure_verdicts_are_right(
    seed: int, scams: int, hams: int, apart: float
) -> None:
    widths = band(*drawn(seed, scams, hams, apart))
    margins, scam = drawn(seed + 100, 20_000, 20_000, apart)
    sure = (margins > widths.scam) | (margins < -widths.harmless)
    assert sure.mean() > 0.3, "the band is not everything"
    right = (margins > 0) == scam
    assert right[sure].mean() >= 0.978, "of sure verdicts at most 2 % are wrong, but for luck"


def test_the_band_is_no_wider_than_needed() -> None:
    margins, scam = drawn(0, 5000, 5000, 4.0)
    widths = band(margins, scam)
    assert widths == (0.0, 0.0), "classes that hardly touch need none"
    assert band(margins, scam, wrong=0.0001).harmless > 0
    assert max(band(*drawn(0, 5000, 5000, 2.0))) < max(band(*drawn(0, 5000, 5000, 1.0)))


def test_how_rare_scams_are_in_the_corpus_does_not_matter() -> None:
    many, few = band(*drawn(1, 20_000, 20_000, 2.0)), band(*drawn(2, 20_000, 2_000, 2.0))
    assert many.harmless == pytest.approx(few.harmless, abs=0.3)


def test_what_few_messages_of_one_kind_show_is_not_drowned_by_many_of_another() -> None:
    margins, scam = drawn(3, 2000, 20_000, 4.0)
    twins = drawn(4, 1, 200, 1.0)[0][1:]  # harmless, and not far from the operating point
    both, flags = np.concatenate([margins, twins]), np.concatenate([scam, np.zeros(200, np.bool_)])
    kinds = np.array(["chat"] * scam.size + ["twins"] * 200, dtype=object)
    plain, fair = band(both, flags), band(both, flags, fair_weights(kinds, flags))
    assert np.mean(twins > fair.scam) < 0.05 < np.mean(twins > plain.scam)


def test_a_handful_of_messages_shows_nothing() -> None:
    margins, scam = np.array([5.0, 4.0, -9.0, -8.0]), np.array([True, True, False, False])
    assert band(margins, scam) == (WITHOUT_PROOF, WITHOUT_PROOF)
    far = np.array([-6.0, 4.0, -9.0, -8.0])
    assert band(far, scam).harmless == 6.0, "as far as the farthest message that is wrong"


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="both classes"):
        band(np.ones(3), np.ones(3, dtype=np.bool_))
