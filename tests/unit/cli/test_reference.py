from docs.shieldctl import TARGET, render


def test_the_command_reference_is_current() -> None:
    assert TARGET.read_text() == render(), "Run `python -m docs.shieldctl`."
