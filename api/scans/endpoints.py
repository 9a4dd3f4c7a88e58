"""`/scans`: judge a message, read one's own verdicts back."""

from typing import Annotated

from fastapi import APIRouter, Header
from pydantic.json_schema import SkipJsonSchema

from api.kit.context import AnyRead, AnyWrite
from api.kit.paging import Paged
from api.kit.paths import PathId
from api.kit.readers import AskedBy
from api.scans import service
from shield.characters import unreadable
from shield.labels import ScanType
from shield.mail import read_mail
from shield.routing import Arm
from shield.wire import Envelope, MailRequest, ScanRead, ScanRequest, ScanTypeRead

router = APIRouter(prefix="/scans", tags=["scans"])


@router.post("", status_code=201)
def scan(
    body: ScanRequest,
    ctx: AnyWrite,
    reader: AskedBy,
    arm: Annotated[
        Arm | SkipJsonSchema[None],
        Header(alias="X-Shield-Arm", description="Force an arm (reviewer, admin, service)."),
    ] = None,
) -> Envelope[ScanRead]:
    """Judge one message. Characters that are none, such as half an emoji, count as U+FFFD."""
    broken = unreadable(body.text)
    counts = "counts" if broken == 1 else "count"
    told = f" {broken} of its characters could not be read and {counts} as U+FFFD." * bool(broken)
    scanned = service.scan(ctx, body, arm, reader)
    return Envelope[ScanRead](message=f"Scanned.{told}", data=scanned)


@router.post("/mail", status_code=201)
def scan_mail(body: MailRequest, ctx: AnyWrite, reader: AskedBy) -> Envelope[ScanRead]:
    """Judge one mail as it was received (`.eml`): MIME and charsets undone, HTML read."""
    text = read_mail(body.mail.encode("utf-8", "surrogatepass"))
    request = ScanRequest(scan_type=ScanType.PHISHING, text=text)
    return Envelope[ScanRead](message="Scanned.", data=service.scan(ctx, request, None, reader))


@router.get("")
def own_scans(ctx: AnyRead, paging: Paged, reader: AskedBy) -> Envelope[list[ScanRead]]:
    """List one's own scans, newest first."""
    scans, pagination = service.own_scans(ctx, paging, reader)
    return Envelope[list[ScanRead]](data=scans, pagination=pagination)


@router.get("/types")
def types(ctx: AnyRead) -> Envelope[list[ScanTypeRead]]:
    """Tell what can be judged now."""
    return Envelope[list[ScanTypeRead]](data=service.types(ctx))


@router.get("/{scan_id}")
def own_scan(scan_id: PathId, ctx: AnyRead, reader: AskedBy) -> Envelope[ScanRead]:
    """Return one of one's own scans."""
    return Envelope[ScanRead](data=service.own_scan(ctx, scan_id, reader))
