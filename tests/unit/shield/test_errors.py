"""One error shape, both ways over the wire."""

import pytest

from shield import errors
from shield.errors import ShieldError, from_problem, to_problem


def every_kind(root: type[ShieldError] = ShieldError) -> list[type[ShieldError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in every_kind(child))]


def made(kind: type[ShieldError]) -> ShieldError:
    error = kind.__new__(kind)
    ShieldError.__init__(error, "What is wrong. The cure.", field="x")
    return error


def test_slugs_are_unique_so_that_each_error_finds_its_class_again():
    slugs = [kind.slug for kind in every_kind()]
    assert len(slugs) == len(set(slugs))


@pytest.mark.parametrize("kind", every_kind())
def test_an_error_survives_the_wire_as_its_own_class(kind):
    back = from_problem(kind.status, to_problem(made(kind)))
    assert type(back) is kind
    assert back.message == "What is wrong. The cure."
    assert back.extra == {"field": "x"}


def test_a_problem_document_carries_what_the_phone_reads():
    document = to_problem(errors.NotFound.of("scan", "42", "List yours with GET /api/v2/scans."))
    assert document["success"] is False
    assert document["message"] == document["detail"]
    assert document["type"] == "/problems/not-found"
    assert document["status"] == 404


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.BadRequest),
        (401, errors.Unauthenticated),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (422, errors.Invalid),
        (429, errors.RateLimited),
        (502, errors.Unavailable),
        (503, errors.Unavailable),
    ],
)
def test_an_error_of_a_newer_server_is_still_caught_by_its_status(status, kind):
    assert isinstance(from_problem(status, {"type": "/problems/from-the-future"}), kind)


def test_the_tree_in_the_docstring_names_every_class():
    assert errors.__doc__ is not None
    ours = [kind.__name__ for kind in every_kind() if kind.__module__ == errors.__name__]
    assert len(ours) > 10
    assert not [name for name in ours if name not in errors.__doc__]
