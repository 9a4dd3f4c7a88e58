"""The settings reference is what the code says."""

from docs.settings import TARGET, document, settings_classes


def test_the_settings_reference_is_current():
    assert TARGET.read_text() == document(), "run `make docs`"


def test_every_setting_says_what_it_means():
    silent = [
        f"{kind.__name__}.{name}"
        for kind in settings_classes()
        for name, field in kind.model_fields.items()
        if not field.description
    ]
    assert not silent
