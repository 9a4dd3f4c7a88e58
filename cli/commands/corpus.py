"""`shieldctl corpus`: labelled messages that models learn from beside their users' corrections."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import rows_table
from cli.session import Session, session_of
from shield.artifacts import ArtifactStore
from shield.errors import Invalid, NotFound
from shield.labels import LABELS, ModelType, type_names

app = typer.Typer(
    help="Labelled messages to learn from: list, show, add, remove, export, fetch.",
    no_args_is_help=True,
)
Kind = Annotated[ModelType, typer.Argument(help=f"{type_names()}.")]


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the training corpora of each model type, and the languages of the book of scams."""
    from components.prepare_corpus.holdings import parts

    session = session_of(context)
    store, rows = _store(session), list[dict[str, Any]]()
    for kind in ModelType:
        try:
            held = parts(store, kind)
        except NotFound:
            continue
        rows += [
            {"type": kind.value, **part, "state": "removed" if part["removed"] else "teaches"}
            for part in held
        ]
    book = _book_rows()
    session.terminal.answer(
        {"corpora": rows, "book": book},
        rows_table(
            rows,
            ["type", "part", "messages", "scams", "state"],
            empty="No corpus yet: the first training makes it (`shieldctl model train sms`).",
        ),
        "The book of scams, from which first trainings take messages:",
        rows_table(book, ["language", "channels", "teaching", "judging"], empty="It is empty."),
    )


@app.command("show")
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help=f"A tactic of the book, or {type_names()}.")],
    language: Annotated[str, typer.Option(help="Of the tactic's texts and messages.")] = "en",
    part: Annotated[str | None, typer.Option(help="Only this part of a type's corpus.")] = None,
    count: Annotated[int, typer.Option(min=1, help="How many messages.")] = 10,
) -> None:
    """Show a tactic of the book with its messages, or messages of a model type's corpus."""
    session = session_of(context)
    if name in list(ModelType):
        _show_messages(session, ModelType(name), part, count)
    else:
        _show_tactic(session, name, language, count)


@app.command("add")
def add(
    context: typer.Context,
    model_type: Kind,
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV, TSV, JSON, JSON Lines, Parquet, Arrow, XLSX, mbox, eml or a plain list; a "
            "directory of `datasets` or of mails; or an exported folder."
        ),
    ],
    text: Annotated[
        str | None, typer.Option(help="Column of the messages: its name, or its place from 1.")
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(help="Column of the labels; or one label for all messages, e.g. spam."),
    ] = None,
    meanings: Annotated[
        list[str] | None,
        typer.Option("--map", help="What a word of the file means: smishing=spam. Repeat it."),
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="E.g. utf-8 or cp1252.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Sign between cells, or tab.")] = None,
    date_format: Annotated[
        str | None, typer.Option(help="As for strptime, e.g. %d/%m/%Y; `none` leaves dates out.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show how it is read, and add nothing.")
    ] = False,
) -> None:
    """Add your own labelled messages.

    What you do not specify is detected, and shown. Every row is added, already known, or
    listed with the reason why it cannot be used.
    """
    from components.prepare_corpus.add import add as add_rows
    from components.prepare_corpus.intake.table import HowToRead
    from shield.packages import Trust
    from shield.packages.manifest import MANIFEST

    session = session_of(context)
    if not file.exists():
        raise NotFound(f"There is nothing at {file}. Name a file or a directory.")
    sealed = (file / MANIFEST).exists()
    trust = Trust.from_directory(session.home().trusted_keys) if sealed else None
    how = HowToRead(text, label, _meanings(meanings), encoding, delimiter, date_format)
    added = add_rows(_store(session), model_type, file, trust, how, dry_run=dry_run)
    harmless, scam = LABELS[model_type]
    bad = [{"line": row.line, "why": row.why} for row in added.bad]
    findings = [{"what": name, "found": told} for name, told in added.found.items()]
    sample = [{"label": name, "text": shown[:100]} for name, shown in added.sample]
    would = " would be" if dry_run else ""
    session.terminal.answer(
        {
            "rows": added.rows,
            "taken": added.taken,
            "scams": added.scams,
            "known": added.known,
            "bad": bad,
            "found": added.found,
            "dryRun": dry_run,
            "digest": added.digest,
            "sample": sample,
            "corpus": {"messages": added.corpus_messages, "scams": added.corpus_scams},
        },
        rows_table(findings, ["what", "found"], empty=""),
        rows_table(sample, ["label", "text"], empty="No message is new."),
        f"{added.rows:,} rows: {added.taken:,}{would} taken "
        f"({added.taken - added.scams:,} {harmless}, {added.scams:,} {scam}), {added.known:,} "
        f"known already, {len(bad):,} bad.",
        rows_table(bad, ["line", "why"], empty=""),
        f"The corpus of {model_type} {'would then be' if dry_run else 'is now'} "
        f"{added.corpus_messages:,} messages, "
        f"{added.corpus_scams / added.corpus_messages:.0%} of them {scam}.",
    )


def _meanings(written: list[str] | None) -> dict[str, str]:
    pairs = [entry.rpartition("=") for entry in written or []]
    for word, _, label in pairs:
        if not word or not label:
            raise Invalid("--map wants WORD=LABEL, e.g. --map smishing=spam.")
    return {word: label for word, _, label in pairs}


@app.command("remove")
def remove(
    context: typer.Context,
    model_type: Kind,
    part: Annotated[str, typer.Argument(help="As `corpus list` names it; `book` is all of it.")],
    undo: Annotated[bool, typer.Option("--undo", help="Bring it back.")] = False,
) -> None:
    """Remove a part from the training corpus, from the next retraining on; evaluation sets stay.

    The linear half is then fitted anew. The champion's transformer keeps what it has learned of the
    part, and so does what goes on from it: `pipeline run TYPE --set start=base` forgets it.
    """
    from components.prepare_corpus.holdings import remove as remove_part

    session = session_of(context)
    count = remove_part(_store(session), model_type, part, undo=undo)
    done = "teach again" if undo else "teach no longer"
    session.terminal.answer(
        {"part": part, "messages": count, "removed": not undo},
        f"{count} messages of {part} {done}.",
    )


@app.command("export")
def export(
    context: typer.Context,
    model_type: Kind,
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
) -> None:
    """Export a model type's training corpus with its card, signed by this installation's key.

    `shieldctl corpus add TYPE FOLDER` takes it in where that key is trusted.
    """
    from components.prepare_corpus.holdings import export as export_corpus
    from shield.packages import load_private_key

    session = session_of(context)
    home = session.home()
    home.make_keys()
    done = export_corpus(_store(session), model_type, folder, load_private_key(home.signing_key))
    session.terminal.answer(done, f"{done['messages']} messages are in {folder}, signed.")


@app.command("fetch")
def fetch(context: typer.Context) -> None:
    """Download the public mails that first models are trained on, once."""
    from components.prepare_corpus.mails import fetch as fetch_mails
    from components.shared.environment import StepSettings

    session = session_of(context)
    path = fetch_mails(StepSettings())
    session.terminal.answer({"path": str(path)}, f"{path}")


def _store(session: Session) -> ArtifactStore:
    from shield.artifacts.opening import open_store

    return open_store(session.home().artifacts)


def _book_rows() -> list[dict[str, Any]]:
    from shield.book import Side, messages_of, read_book

    book, rows = read_book(), []
    for code, language in book.languages.items():
        alone = type(book)(book.tactics, {code: language})
        written = {side: sum(1 for _ in messages_of(alone, side, each=1)) for side in Side}
        channels = sorted({channel.value for _, channel in language.files})
        rows.append(
            {
                "language": code,
                "channels": ", ".join(channels),
                "teaching": written[Side.TEACH],
                "judging": written[Side.JUDGE],
            }
        )
    return rows


def _show_messages(session: Session, model_type: ModelType, part: str | None, count: int) -> None:
    import polars as pl

    from components.prepare_corpus.holdings import taught

    table = taught(_store(session), model_type)
    if part is not None:
        known = ", ".join(table["part"].unique().sort())
        table = table.filter((pl.col("part") == part) | pl.col("part").str.starts_with(f"{part}/"))
        if table.height == 0:
            raise NotFound(f"The corpus of {model_type} has no part {part!r}; it has {known}.")
    drawn = table.sample(min(count, table.height), seed=0, shuffle=True)
    shown = ["part", "label", "tactic", "text"]
    rows = list(drawn.select(shown).iter_rows(named=True))
    session.terminal.answer(
        {"messages": table.height, "scams": int(table["label"].sum()), "drawn": rows},
        f"{table.height} messages, {int(table['label'].sum())} of them scams. {len(rows)} of them:",
        rows_table(rows, shown, empty="There is none."),
    )


def _show_tactic(session: Session, name: str, language: str, count: int) -> None:
    from shield.book import Side, messages_of, read_book

    book = read_book(languages=[language])
    if name not in book.tactics:
        raise NotFound(
            f"The book has no tactic {name!r}, and no model type is called so. Tactics: "
            f"{', '.join(book.tactics)}."
        )
    texts = book.texts(name, language)
    messages = [
        {"channel": each.channel.value, "kind": each.kind, "text": each.text}
        for side in Side
        for each in messages_of(book, side, each=1)
        if each.tactic == name
    ]
    session.terminal.answer(
        {"tactic": name, **texts.model_dump(), "messages": messages},
        f"[name]{texts.name}[/]",
        texts.how_it_works,
        f"What gives it away: {texts.what_gives_it_away}",
        f"What to do now: {texts.what_to_do_now}",
        f"Who to tell: {texts.who_to_tell}",
        rows_table(
            messages[:count], ["channel", "kind", "text"], empty="No message is written yet."
        ),
    )
