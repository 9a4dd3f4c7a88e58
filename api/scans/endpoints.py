"""`/scans`: judge messages, list and erase the caller's scans."""

from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Header
from pydantic.json_schema import SkipJsonSchema

from api.kit.auth import Principal
from api.kit.context import AnyRead, AnyWrite, Services
from api.kit.lanes import Headers, Lane
from api.kit.paging import Paged
from api.kit.paths import PathId
from api.kit.queries import Before
from api.kit.readers import AskedBy
from api.privacy import erasure
from api.scans import service
from shield.characters import unreadable
from shield.labels import ScanType
from shield.mail import read_mail
from shield.reasons import Reader, reader_of
from shield.routing import Arm
from shield.wire import Envelope, ErasureRead, MailRequest, ScanRead, ScanRequest, ScanTypeRead

router = APIRouter(prefix="/scans", tags=["scans"])


@router.post("", status_code=201)
async def scan(
    body: ScanRequest,
    ctx: AnyWrite,
    reader: AskedBy,
    arm: Annotated[
        Arm | SkipJsonSchema[None],
        Header(alias="X-Shield-Arm", description="Force an arm (reviewer, admin, service)."),
    ] = None,
) -> Envelope[ScanRead]:
    """Judge one message. Invalid characters, such as half an emoji, count as U+FFFD."""
    return _told(body, await service.scan(ctx.services, ctx.principal, body, arm, reader))


def _told(request: ScanRequest, scanned: ScanRead) -> Envelope[ScanRead]:
    broken = unreadable(request.text)
    counts = "counts" if broken == 1 else "count"
    told = f" {broken} of its characters could not be read and {counts} as U+FFFD." * bool(broken)
    return Envelope[ScanRead](message=f"Scanned.{told}", data=scanned)


def _read(body: bytes, headers: Headers) -> tuple[ScanRequest, Reader] | None:
    if b"x-shield-arm" in headers:
        return None
    try:
        request = ScanRequest.model_validate_json(body)
    except ValueError:
        return None
    language = headers.get(b"accept-language")
    return request, reader_of(None if language is None else language.decode("latin-1"))


async def _serve(
    services: Services, principal: Principal, asked: tuple[ScanRequest, Reader]
) -> bytes:
    request, reader = asked
    scanned = await service.scan(services, principal, request, None, reader)
    return _told(request, scanned).model_dump_json(by_alias=True).encode()


lane = Lane("/scans", _read, _serve)
"""The fast path of `scan`."""


@router.post("/mail", status_code=201)
async def scan_mail(body: MailRequest, ctx: AnyWrite, reader: AskedBy) -> Envelope[ScanRead]:
    """Judge one raw mail (`.eml`); decodes MIME and charsets and extracts text from HTML."""
    text = await run_sync(read_mail, body.mail.encode("utf-8", "surrogatepass"))
    request = ScanRequest(scan_type=ScanType.PHISHING, text=text)
    scanned = await service.scan(ctx.services, ctx.principal, request, None, reader)
    return Envelope[ScanRead](message="Scanned.", data=scanned)


@router.get("")
def own_scans(ctx: AnyRead, paging: Paged, reader: AskedBy) -> Envelope[list[ScanRead]]:
    """List the caller's scans, newest first."""
    scans, pagination = service.own_scans(ctx, paging, reader)
    return Envelope[list[ScanRead]](data=scans, pagination=pagination)


@router.get("/types")
def types(ctx: AnyRead) -> Envelope[list[ScanTypeRead]]:
    """List the scan types, and whether each can be judged now."""
    return Envelope[list[ScanTypeRead]](data=service.types(ctx))


@router.get("/{scan_id}")
def own_scan(scan_id: PathId, ctx: AnyRead, reader: AskedBy) -> Envelope[ScanRead]:
    """Return one scan of the caller."""
    return Envelope[ScanRead](data=service.own_scan(ctx, scan_id, reader))


@router.delete("")
def erase_scans(ctx: AnyWrite, before: Before = None) -> Envelope[ErasureRead]:
    """Erase all scans of the caller with the feedback on them. The account stays.

    Whoever may have to repeat the request should send `before`: later scans are kept.
    """
    return Envelope[ErasureRead](message="Erased.", data=erasure.erase_scans(ctx, ctx.user, before))


@router.delete("/{scan_id}")
def erase_scan(scan_id: PathId, ctx: AnyWrite) -> Envelope[ErasureRead]:
    """Erase one scan of the caller with the feedback on it."""
    return Envelope[ErasureRead](message="Erased.", data=erasure.erase_scan(ctx, ctx.user, scan_id))
