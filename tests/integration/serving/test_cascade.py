"""The model server answers what the linear half settles without asking the encoder."""

from pathlib import Path

import httpx
import numpy as np
import pytest

from shield.packages import Alone, Cascade, load_private_key, pack, sign
from shield.predictor import Predictor
from tests.support.model_server import running_model_server
from tests.support.packages import CHAT, LURES, SignedPackage, copied_package, with_linear_half
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.xdist_group("serving")


def test_the_encoder_is_spared_where_it_is_allowed_and_its_time_is_compared_alone(
    tmp_path: Path,
) -> None:
    texts = [*LURES, *CHAT]
    with copied_package(tmp_path) as copy:
        made = with_linear_half(copy)
        linear = Predictor(made.package).halves(texts)[1]
        bound = min(float(np.median(linear)), -1e-3)
        assert (linear <= bound).any()
        cascade = Cascade(harmless=Alone(beyond=bound, encoder=-9.0))
        manifest = made.package.manifest.model_copy(update={"cascade": cascade})
        pack(made.package.path, manifest)
        package = sign(made.package.path, load_private_key(made.signing_key))
        signed = SignedPackage(package, made.signing_key, made.trusted_keys)
        expected = Predictor(package, cascade=True).probabilities(texts)
        alone = int((linear <= bound).sum())
        with (
            running_model_server(signed, cascade="true") as server,
            httpx.Client(base_url=server.url, timeout=PATIENCE_SECONDS) as client,
        ):
            first, again = [client.post("/predict", json={"texts": texts}).json() for _ in "ab"]
            shown = client.get("/metrics").text
    said = [prediction["probability"] for prediction in first["predictions"]]
    np.testing.assert_allclose(said, expected, atol=1e-6)
    assert again["predictions"] == first["predictions"]
    assert first.get("processorMs") is None, "versions are compared by their encoders' time"
    assert f'shield_server_rows_total{{source="linear"}} {2 * alone}.0' in shown
    assert f'shield_server_rows_total{{source="model"}} {len(texts) - alone}.0' in shown
