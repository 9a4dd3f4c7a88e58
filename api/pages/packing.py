"""Compression of what everybody may read: a phone's first load is mostly scripts and sentences.

Pages that hold secrets stay uncompressed: their compressed size would tell of them (BREACH).
"""

import gzip
from functools import lru_cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response

TEXTS = {
    ".js": "text/javascript",
    ".json": "application/json",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
"""Media types of files that become smaller, by their suffix."""


def packed_file(file: Path, asked: Headers, **headers: str) -> Response:
    """Return a public file of text, compressed for a client that takes gzip."""
    media_type = TEXTS[file.suffix]
    if not takes_gzip(asked):
        told = {**headers, "Vary": "Accept-Encoding"}
        return FileResponse(file, media_type=media_type, headers=told)
    response = Response(_packed(file, file.stat().st_mtime_ns), media_type=media_type)
    response.headers.update(headers)
    return _told(response)


def packed(response: Response, asked: Headers) -> Response:
    """Return a public page, compressed for a client that takes gzip."""
    if not takes_gzip(asked):
        response.headers.add_vary_header("Accept-Encoding")
        return response
    response.body = gzip.compress(bytes(response.body), mtime=0)
    response.headers["Content-Length"] = str(len(response.body))
    return _told(response)


def takes_gzip(asked: Headers) -> bool:
    """Return whether a client that sent these headers takes gzip."""
    return "gzip" in asked.get("accept-encoding", "")


def _told(response: Response) -> Response:
    response.headers["Content-Encoding"] = "gzip"
    response.headers.add_vary_header("Accept-Encoding")
    return response


@lru_cache(maxsize=64)
def _packed(file: Path, changed: int) -> bytes:
    """Compress a file once; `changed` is its time of change, in nanoseconds."""
    return gzip.compress(file.read_bytes(), mtime=0)
