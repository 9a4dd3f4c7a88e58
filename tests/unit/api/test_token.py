"""`python -m api.token`: a token for a first look, signed with the installation's own secret."""

import jwt
import pytest

from api.kit.tokens import AUDIENCE
from api.token import main

SECRET = "a-secret-for-tests-only-0123456789abcdef"


def test_it_prints_a_token_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHIELD_API_JWT_SECRET", SECRET)
    assert main(["--role", "user", "--role", "reviewer", "--hours", "2"]) == 0
    told = capsys.readouterr().out
    claims = jwt.decode(told.strip(), SECRET, algorithms=["HS256"], audience=AUDIENCE)
    assert (claims["sub"], claims["roles"]) == ("first-look", ["user", "reviewer"])
    assert claims["exp"] - claims["iat"] == 7200
    assert told.count("\n") == 1


def test_no_machine_and_no_long_life_comes_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIELD_API_JWT_SECRET", SECRET)
    for wrong in (["--role", "pipeline"], ["--hours", "25"], ["--hours", "0"]):
        with pytest.raises(SystemExit):
            main(wrong)


def test_without_a_secret_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SHIELD_API_JWT_SECRET", raising=False)
    monkeypatch.delenv("SHIELD_API_JWT_SECRET_FILE", raising=False)
    assert main([]) == 1
    assert "SHIELD_API_JWT_SECRET" in capsys.readouterr().err
