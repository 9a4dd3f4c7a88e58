"""Which keys an artifact store accepts: the same everywhere, so that S3 surprises nobody."""

from shield.errors import Invalid

LONGEST_KEY_BYTES = 1024
"""S3's limit; directories allow more, but then a copy to S3 would fail."""


def check_key(key: str) -> str:
    """Return `key` if it is safe under any store.

    A key is relative and `/`-separated. No segment is empty or starts with a dot, which refuses
    `..` and keeps dot files free for temporary names. No control characters, no backslashes.

    Raises:
        Invalid: The key could leave its store, or means different things in different stores.
    """
    fault = _fault(key)
    if fault:
        raise Invalid(
            f"{key!r} cannot be an artifact's key: {fault}. "
            "Use relative names such as `packages/sms/<digest>/manifest.json`."
        )
    return key


def _fault(key: str) -> str | None:
    if not key:
        return "it is empty"
    if len(key.encode()) > LONGEST_KEY_BYTES:
        return f"it is longer than {LONGEST_KEY_BYTES} bytes"
    if "\\" in key or not key.isprintable():
        return "it has a backslash or a control character"
    segments = key.split("/")
    if "" in segments:
        return "it is absolute, or has an empty segment"
    if any(segment.startswith(".") for segment in segments):
        return "a segment starts with a dot"
    if any(len(segment.encode()) > 255 for segment in segments):
        return "a segment is longer than 255 bytes"
    return None


def check_prefix(prefix: str) -> str:
    """Return `prefix` if some key could start with it.

    Raises:
        Invalid: No acceptable key starts like this.
    """
    if prefix:
        # Completed to a key: a prefix may end inside a segment, or with a slash.
        check_key(f"{prefix}x")
    return prefix
