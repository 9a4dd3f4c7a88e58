"""Lists with commas, and secrets in files, as every room reads them."""

from pathlib import Path

import pytest

from api.pages.settings import PagesSettings
from api.settings import ApiSettings
from cli.console import Terminal
from cli.session import Session
from components.shared.environment import StepSettings, open_client
from serving.operator import __main__ as operator
from serving.operator import local
from serving.operator.settings import ApiAccess
from shield.errors import Misconfigured


@pytest.mark.parametrize(
    ("written", "languages"), [("en, de,", ["en", "de"]), ("", []), ("pt", ["pt"])]
)
def test_a_list_is_written_with_commas(
    written: str, languages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHIELD_BOOK_LANGUAGES", written)
    assert StepSettings().book_languages == languages


def test_whoever_reads_a_secret_from_a_file_says_which_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away, binary = tmp_path / "away", tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("SHIELD_API_TOKEN_FILE", str(away))
    monkeypatch.delenv("SHIELD_API_TOKEN", raising=False)
    readers = [
        ApiSettings(jwt_secret_file=away).secret,
        PagesSettings(oidc_client_secret_file=binary).client_secret,
        ApiAccess().read_token,
        lambda: open_client(StepSettings(api_url="http://127.0.0.1:9")),
        Session(tmp_path, "http://127.0.0.1:9", None, Terminal()).client,
    ]
    for reader in readers:
        with pytest.raises(Misconfigured, match=rf"{tmp_path}.* cannot be read .*Set SHIELD_"):
            reader()


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SHIELD_OPERATOR_TICK_SECONDS", "often"), ("SHIELD_OPERATOR_GATEWAYS", "[")],
)
def test_a_setting_that_is_wrong_is_told_in_a_sentence(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, value)
    for main in (local.main, operator.main):
        assert main() == 1
        said = capsys.readouterr().err
        assert variable.rpartition("_")[2].lower() in said.lower()
        assert "Traceback" not in said
