"""Make the judge that a version brings to phones, at its own operating point."""

from pathlib import Path

import polars as pl

from components.train.operating_point import placed
from shield.device import Operating, quantised, write_device
from shield.labels import ModelType
from shield.linear import LinearModel


def write_judge(
    linear: LinearModel, model_type: ModelType, frozen: pl.DataFrame, budget: float, model: Path
) -> None:
    """Write `device.json` and what it names into a package's directory, before it is packed.

    The linear half judges alone on a phone, in one byte a weight. So its operating point and its
    band are its own, set on the same frozen messages by the same rule as the whole version's.

    Args:
        linear: The version's linear half.
        model_type: Of the version.
        frozen: As in `settle`.
        budget: As in `settle`.
        model: The package's directory.

    Raises:
        Invalid: The frozen messages lack a class.
    """
    rounded = quantised(linear)
    point = placed(None, rounded.log_odds(frozen["text"].to_list()), frozen, budget)
    operating = Operating(
        point.margin.linear, point.margin.bias, point.band.harmless, point.band.scam
    )
    write_device(rounded._replace(operating=operating), model_type, model)
