"""`/device`: the model that judges messages on the phone."""

import gzip
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import FileResponse
from pydantic.json_schema import SkipJsonSchema

from api.device import encoder, known, releases, service, signing
from api.kit.context import AnyRead, AnyWrite, StaffRead
from api.kit.idempotency import IdempotencyKey
from api.kit.readers import AskedBy
from shield.labels import MODEL_OF_SCAN, ScanType
from shield.packages.manifest import digest_of
from shield.wire import (
    DeviceCounts,
    DeviceEncoderRead,
    DeviceKeysRead,
    DeviceKnownRead,
    DeviceReleaseRead,
    DeviceReport,
    DeviceReportRead,
    DeviceVersionCounts,
    Envelope,
)

router = APIRouter(prefix="/device", tags=["device"])

FOREVER = "private, max-age=31536000, immutable"
Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
IfNoneMatch = Annotated[str | SkipJsonSchema[None], Header(alias="If-None-Match")]
_Release = Envelope[DeviceReleaseRead]
_Known = Envelope[DeviceKnownRead]


@router.get("/keys")
def keys(ctx: AnyRead) -> Envelope[DeviceKeysRead]:
    """Return the public keys that an app pins at build time."""
    own, trusted = signing.pins(ctx.ring)
    return Envelope[DeviceKeysRead](data=DeviceKeysRead(releases=own, packages=trusted))


@router.post("/reports", status_code=201)
def report(
    body: DeviceReport, ctx: AnyWrite, reader: AskedBy, key: IdempotencyKey = None
) -> Envelope[DeviceReportRead]:
    """Report the true label of a message that the phone has judged; the server judges it again."""
    read = service.report(ctx, body, key, reader)
    return Envelope[DeviceReportRead](message="Thanks for your feedback!", data=read)


@router.get(
    "/{scan_type}/release",
    response_model=_Release,
    responses={304: {"description": "The release has not changed since `If-None-Match`."}},
)
def release(scan_type: ScanType, ctx: AnyRead, known_etag: IfNoneMatch = None) -> Response:
    """Return the signed statement of the version for phones. Ask at each start and every hour."""
    current = releases.current(ctx, scan_type)
    content = _Release(data=current).model_dump_json(by_alias=True)
    return _unless_seen(content, current.signature, known_etag)


@router.get(
    "/{scan_type}/known",
    response_model=_Known,
    responses={304: {"description": "The list is the one of `If-None-Match`."}},
)
def known_scams(
    scan_type: ScanType, ctx: AnyRead, request: Request, known_etag: IfNoneMatch = None
) -> Response:
    """Return the scams that reviewers have decided, for phones to know without a network. Signed.

    Ask with the release. No message can be read from it.
    """
    signed = known.current(ctx, scan_type)
    content = _Known(data=signed).model_dump_json(by_alias=True)
    return _unless_seen(content, signed.signature, known_etag, request)


def _unless_seen(
    content: str, signature: str, known_etag: str | None, request: Request | None = None
) -> Response:
    """Answer with a signed document, compressed for who takes that; 304 for who has it."""
    tag = f'"{digest_of(signature.encode())[7:39]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
    if known_etag == tag:
        return Response(status_code=304, headers=headers)
    packed = request is not None and "gzip" in request.headers.get("Accept-Encoding", "")
    if packed:
        headers["Content-Encoding"] = "gzip"
    body = gzip.compress(content.encode(), mtime=0) if packed else content
    return Response(body, media_type="application/json", headers=headers)


@router.get(
    "/{scan_type}/files/{digest}/{file}",
    response_class=Response,
    responses={
        200: {
            "description": "The bytes of one file of a released package.",
            "content": {"application/octet-stream": {}},
        },
        304: {"description": "The file has not changed since `If-None-Match`."},
    },
)
def package_file(
    scan_type: ScanType,
    digest: Sha256,
    file: Annotated[str, Path(pattern=r"^[a-z]{1,32}\.(json|safetensors)$")],
    ctx: AnyRead,
    request: Request,
    known_etag: IfNoneMatch = None,
) -> Response:
    """Return one file of a package that was released to phones. Immutable."""
    packed, sha256 = releases.file(ctx, scan_type, digest, file)
    headers = {"ETag": f'"{sha256}"', "Cache-Control": FOREVER, "Vary": "Accept-Encoding"}
    if known_etag == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(packed, media_type="application/octet-stream", headers=headers)
    return Response(
        releases.unpacked(packed), media_type="application/octet-stream", headers=headers
    )


@router.get("/{scan_type}/encoder/{digest}")
def encoder_files(scan_type: ScanType, digest: Sha256, ctx: AnyRead) -> Envelope[DeviceEncoderRead]:
    """Return what judging as exactly as the server takes on a phone, and its size. May be empty."""
    return Envelope[DeviceEncoderRead](data=encoder.offered(ctx, scan_type, digest))


@router.get(
    "/{scan_type}/encoder/{digest}/{file}",
    response_class=Response,
    responses={
        200: {
            "description": "A gzip archive of one file of a released package's encoder.",
            "content": {"application/gzip": {}},
        },
        206: {"description": "The part of it that `Range` asks for."},
        304: {"description": "The file has not changed since `If-None-Match`."},
        416: {"description": "It has no such part."},
    },
)
def encoder_file(
    scan_type: ScanType,
    digest: Sha256,
    file: Annotated[str, Path(pattern=r"^[a-z][a-z0-9.]{0,31}\.(json|safetensors|onnx)$")],
    ctx: AnyRead,
    known_etag: IfNoneMatch = None,
) -> Response:
    """Return one file of an encoder as a gzip archive. Immutable; takes `Range` and `If-Range`."""
    path, tag = encoder.file(ctx, scan_type, digest, file)
    headers = {"ETag": tag, "Cache-Control": FOREVER}
    if known_etag == tag:
        return Response(status_code=304, headers=headers)
    return FileResponse(path, media_type="application/gzip", headers=headers)


@router.post("/{scan_type}/counts", status_code=201)
def counts(
    scan_type: ScanType, body: DeviceCounts, ctx: AnyWrite, key: IdempotencyKey = None
) -> Envelope[DeviceCounts]:
    """Count scans that a phone has judged by itself, many per request and without their texts."""
    read = service.count(ctx, scan_type, body, key)
    return Envelope[DeviceCounts](message="Counted.", data=read)


@router.get("/{scan_type}/counts")
def version_counts(scan_type: ScanType, ctx: StaffRead) -> Envelope[list[DeviceVersionCounts]]:
    """Return each version's scans on phones, and how often the server disagreed."""
    counts_by_version = service.versions(ctx, MODEL_OF_SCAN[scan_type])
    return Envelope[list[DeviceVersionCounts]](data=counts_by_version)
