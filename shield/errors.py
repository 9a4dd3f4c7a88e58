"""Every error of the product, in one tree.

    ShieldError                     slug, HTTP status and a message that names the cure
    ├── BadRequest            400   the request cannot be read
    ├── Unauthenticated       401   who are you?
    ├── Forbidden             403   not with this role, or not this row
    ├── NotFound              404
    ├── Conflict              409   true a moment ago, or decided by somebody else
    │   ├── AlreadyReviewed
    │   ├── AlreadyExists
    │   ├── VersionRejected         a version that was taken back is never proposed again
    │   ├── LeaseLost
    │   └── RolloutBusy
    ├── TooLarge              413
    ├── Invalid               422   well-formed, but it makes no sense
    │   ├── UnknownLabel
    │   ├── ContradictoryFeedback
    │   └── IdempotencyKeyReused
    ├── RateLimited           429   `retry_after_seconds`
    ├── Unusable              500   an artifact that must not be used
    │   ├── ArtifactCorrupt
    │   │   └── PackageCorrupt
    │   ├── PackageUnsigned
    │   ├── PackageUntrusted
    │   └── PackageInvalid
    ├── Misconfigured         500   a setting or a data directory that cannot work
    └── Unavailable           503   try again later; never to be read as "nothing there"
        └── Overloaded        503   it is well, and has more to do than it can

A message says what, which one, what is wrong, and the cure. Over HTTP an error is an RFC 9457
problem document whose `type` is `/problems/{slug}`; `from_problem` turns one back into its class,
so that a caller on the other side of the wire catches the same exceptions.
"""

from collections.abc import Iterable
from typing import Any, ClassVar


class ShieldError(Exception):
    """Base of all errors that a user may see."""

    slug: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extra = extra
        """Further members of the problem document, JSON-serialisable, in camelCase."""


class BadRequest(ShieldError):
    """The request cannot be read."""

    slug, status, title = "bad-request", 400, "The request cannot be read"


class Unauthenticated(ShieldError):
    """No token, or one that does not hold."""

    slug, status, title = "unauthenticated", 401, "Sign in first"


class Forbidden(ShieldError):
    """The caller is known, but may not do this."""

    slug, status, title = "forbidden", 403, "Not allowed"


class NotFound(ShieldError):
    """There is no such thing, or the caller may not know of it."""

    slug, status, title = "not-found", 404, "Not found"

    @classmethod
    def of(cls, kind: str, name: str, cure: str) -> "NotFound":
        """Build the usual message: which `kind`, which `name`, and the command that lists them."""
        return cls(f"There is no {kind} {name!r}. {cure}")


class Conflict(ShieldError):
    """The state has moved on."""

    slug, status, title = "conflict", 409, "The state has changed"


class AlreadyReviewed(Conflict):
    """Somebody else has decided this item."""

    slug, title = "already-reviewed", "Already reviewed"


class AlreadyExists(Conflict):
    """An immutable thing of this name exists with other content."""

    slug, title = "already-exists", "Already exists"


class VersionRejected(Conflict):
    """The version was rejected or taken back, and is never proposed again."""

    slug, title = "version-rejected", "Version was rejected"


class LeaseLost(Conflict):
    """The lease has expired or belongs to another run."""

    slug, title = "lease-lost", "Lease lost"


class RolloutBusy(Conflict):
    """Another rollout of the model type is in progress."""

    slug, title = "rollout-busy", "A rollout is in progress"


class TooLarge(ShieldError):
    """The body or the message is longer than the limit."""

    slug, status, title = "too-large", 413, "Too large"


class Invalid(ShieldError):
    """Well-formed, but it makes no sense."""

    slug, status, title = "invalid", 422, "Invalid"


class UnknownLabel(Invalid):
    """A label outside the vocabulary."""

    slug, title = "unknown-label", "Unknown label"

    def __init__(
        self, label: str, model_type: str, known: Iterable[str] = (), **extra: Any
    ) -> None:
        super().__init__(
            f"{label!r} is not a label of {model_type} models. Use one of: {', '.join(known)}.",
            **extra,
        )


class ContradictoryFeedback(Invalid):
    """The claim contradicts the verdict it is about."""

    slug, title = "contradictory-feedback", "Feedback contradicts the verdict"

    def __init__(self, claim: str, predicted: str, why: str, **extra: Any) -> None:
        super().__init__(
            f"{str(claim)!r} cannot be said of the verdict {predicted!r}: {why}. "
            "Look at the scan again and choose the claim that fits.",
            **extra,
        )


class IdempotencyKeyReused(Invalid):
    """The same Idempotency-Key came with another body."""

    slug, title = "idempotency-key-reused", "Idempotency-Key reused"


class RateLimited(ShieldError):
    """Too many requests from this user or address."""

    slug, status, title = "rate-limited", 429, "Too many requests"

    def __init__(self, message: str, retry_after_seconds: int = 1, **extra: Any) -> None:
        super().__init__(message, **extra)
        self.retry_after_seconds = retry_after_seconds


class Unusable(ShieldError):
    """An artifact that must not be used."""

    slug, status, title = "unusable", 500, "Unusable artifact"


class ArtifactCorrupt(Unusable):
    """The bytes of a stored object are not those that its digest names."""

    slug, title = "artifact-corrupt", "Stored object is corrupt"


class PackageCorrupt(ArtifactCorrupt):
    """The bytes of a model package do not match its manifest."""

    slug, title = "package-corrupt", "Model package is corrupt"


class PackageUnsigned(Unusable):
    """A model package has no signature."""

    slug, title = "package-unsigned", "Model package is not signed"


class PackageUntrusted(Unusable):
    """A model package is signed by a key that is not trusted, or the signature does not hold."""

    slug, title = "package-untrusted", "Model package is not trusted"


class PackageInvalid(Unusable):
    """A model package that is whole and signed, but not what it should be."""

    slug, title = "package-invalid", "Model package is invalid"


class Misconfigured(ShieldError):
    """A setting, a missing package or a data directory that cannot work."""

    slug, status, title = "misconfigured", 500, "Misconfigured"


class Unavailable(ShieldError):
    """A part that is needed does not answer. An outage is never to be read as "nothing there"."""

    slug, status, title = "unavailable", 503, "Unavailable"

    def __init__(self, message: str, retry_after_seconds: int | None = None, **extra: Any) -> None:
        super().__init__(message, **extra)
        self.retry_after_seconds = retry_after_seconds


class Overloaded(Unavailable):
    """A part has more to do than it can. It is well, and says so at once."""

    slug, title = "overloaded", "Overloaded"


def _tree(root: type[ShieldError]) -> Iterable[type[ShieldError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


def to_problem(error: ShieldError) -> dict[str, Any]:
    """Return the RFC 9457 problem document of `error`, with the phone's `success` and `message`."""
    return {
        "type": f"/problems/{error.slug}",
        "title": error.title,
        "status": error.status,
        "detail": error.message,
        "success": False,
        "message": error.message,
        **error.extra,
    }


def from_problem(status: int, document: dict[str, Any]) -> ShieldError:
    """Turn a problem document back into its class.

    An unknown slug becomes the nearest class by status, so that a newer server's errors are still
    caught as what they are (409 as `Conflict`, 503 as `Unavailable`).
    """
    known = {kind.slug: kind for kind in _tree(ShieldError)}
    slug = str(document.get("type", "")).removeprefix("/problems/")
    by_status = {
        kind.status: kind
        for kind in reversed(list(ShieldError.__subclasses__()))
        if kind is not Misconfigured
    }
    kind = (
        known.get(slug) or by_status.get(status) or (Unavailable if status >= 500 else ShieldError)
    )
    error = kind.__new__(kind)
    ShieldError.__init__(
        error, str(document.get("detail") or document.get("title") or f"HTTP {status}")
    )
    error.extra = {
        name: value
        for name, value in document.items()
        if name not in {"type", "title", "status", "detail", "success", "message"}
    }
    if isinstance(error, RateLimited | Unavailable):
        error.retry_after_seconds = int(document.get("retryAfterSeconds", 1))
    return error
