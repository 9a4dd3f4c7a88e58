"""The reference of the library is what the code says."""

from docs.reference import PUBLIC, TARGET, render


def test_the_reference_of_the_library_is_current() -> None:
    assert TARGET.read_text() == render(), "Run `python -m docs.reference`."


def test_every_public_module_is_in_it_with_what_it_holds() -> None:
    text = TARGET.read_text()
    assert [name for name in PUBLIC if f"## `{name}`" not in text] == []
    assert "### class `ModelPackage`" in text
    assert "### `compare(old: Judged, new: Judged) -> VersionComparison`" in text
