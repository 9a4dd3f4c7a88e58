"""`shieldctl scan` and `shieldctl feedback`: what the phone does, from a terminal."""

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from cli.console import rows_table
from cli.ids import whole
from cli.session import session_of
from shield.errors import Invalid
from shield.labels import Certainty, FeedbackType, ModelType, ScanType, is_scam
from shield.mail import read_mail
from shield.wire import NamedKind


class ExportForm(StrEnum):
    """What the approved corrections are written as."""

    JSON = "json"
    CSV = "csv"


app = typer.Typer(help="Corrections by users: send, list, count.", no_args_is_help=True)


def scan(
    context: typer.Context,
    text: Annotated[str | None, typer.Argument(help="The message, URL or transcript.")] = None,
    mail: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A saved mail (.eml) instead.")
    ] = None,
    scan_type: Annotated[
        ScanType, typer.Option("--type", help="What it is; decides the model.")
    ] = ScanType.TEXT,
) -> None:
    """Judge one message, as the phone would."""
    session = session_of(context)
    if (text is None) == (mail is None):
        raise Invalid("Give the message, or a saved mail with --mail; one of the two.")
    if mail is not None:
        text, scan_type = read_mail(mail.read_bytes()), ScanType.PHISHING
    with session.client() as client:
        scanned = client.scan(scan_type, text or "")
    style = "bad" if is_scam(scanned.verdict) else "good"
    unsure = " [quiet]not sure[/]" if scanned.certainty is Certainty.UNSURE else ""
    advice = scanned.advice.what_to_do_now if scanned.advice else ""
    session.terminal.answer(
        scanned,
        f"[{style}]{scanned.verdict}[/] {scanned.confidence:.1%}{unsure}  "
        f"[quiet]{scanned.model_version} ({scanned.arm}), scan {scanned.id}[/]",
        *([scanned.known.reason] if scanned.known else []),
        *(Text(f"  - {reason.sentence}") for reason in scanned.reasons),
        Text(advice),
    )


@app.command("send")
def send(
    context: typer.Context,
    scan_id: Annotated[
        str,
        typer.Argument(help="As `shieldctl scan` printed it, or how it begins."),
        NamedKind.SCAN,
    ],
    claim: Annotated[FeedbackType, typer.Argument(help="What the verdict was, as you see it.")],
    label: Annotated[
        str | None, typer.Option(help="The right label, if you want to name it.")
    ] = None,
    comment: Annotated[str | None, typer.Option(help="A comment for the reviewer.")] = None,
) -> None:
    """Report whether a verdict on one of your scans was right."""
    session = session_of(context)
    with session.client() as client:
        scan = whole(client, NamedKind.SCAN, scan_id)
        sent = client.send_feedback(scan, claim, actual_label=label, comment=comment)
    session.terminal.answer(
        sent, f"Thanks. Feedback {sent.id} waits for a reviewer: {sent.corrected_label}."
    )


@app.command("list")
def pending(
    context: typer.Context,
    model_type: Annotated[ModelType | None, typer.Option("--type", help="Only these.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most this many.")] = 20,
) -> None:
    """List the undecided feedback, the most valuable first."""
    session = session_of(context)
    with session.client() as client:
        page = client.pending(model_type=model_type, limit=limit)
    columns = ["id", "scan.text", "originalLabel", "feedbackType", "correctedLabel", "rank.reason"]
    session.terminal.answer(
        {"items": page.items, "pagination": page.pagination},
        rows_table(page.items, columns, empty="Nothing waits for a decision."),
    )


@app.command("stats")
def stats(
    context: typer.Context,
    model_type: Annotated[ModelType | None, typer.Option("--type", help="Only these.")] = None,
) -> None:
    """Show counts and the five metrics with their targets."""
    session = session_of(context)
    with session.client() as client:
        statistics = client.stats(model_type=model_type)
    session.terminal.answer(
        statistics,
        rows_table(
            statistics.metrics,
            ["name", "value", "low", "high", "n", "target", "met", "note"],
            empty="–",
        ),
        f"[quiet]{statistics.pending_count} corrections wait for a decision.[/]",
    )


@app.command("batches")
def batches(
    context: typer.Context,
    model_type: Annotated[ModelType | None, typer.Option("--type", help="Only these.")] = None,
) -> None:
    """List the sealed batches with the version trained on each."""
    session = session_of(context)
    with session.client() as client:
        sealed = client.batches(model_type=model_type)
    columns = ["id", "count", "status", "version", "runId", "sealedAt"]
    session.terminal.answer(sealed, rows_table(sealed, columns, empty="No batch was sealed yet."))


@app.command("export")
def export(
    context: typer.Context,
    form: Annotated[ExportForm, typer.Option("--format", help="json or csv.")] = ExportForm.JSON,
    since: Annotated[datetime | None, typer.Option(help="Approved at or after, UTC.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Else stdout.")] = None,
) -> None:
    """Write the approved corrections to a file or stdout. Changes nothing."""
    from cli.home import write_whole

    session = session_of(context)
    with session.client() as client:
        content = client.export(form.value, since=since)
    if output is None:
        sys.stdout.buffer.write(content)
        return
    write_whole(output, content)
    session.terminal.say(f"Written to {output}.")
