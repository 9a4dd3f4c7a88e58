"""What the client libraries know of the API, taken from the application.

`python -m clients.contract FOLDER` writes it. Nothing of it is committed, so nothing of it can be
out of date: each build writes it anew.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api.app import create_app, open_services
from api.kit.keyring import new_ring
from api.pages import reasons
from api.pages.build import ASSETS
from api.settings import ApiSettings
from shield.artifacts.opening import open_store
from shield.errors import Misconfigured, ShieldError
from shield.labels import MODEL_TYPES, FeedbackType

SHARED = ("element.ts", "platform.ts")
"""Modules of the pages' `lib/` that the npm package is built with."""


def document() -> dict[str, Any]:
    """Return the OpenAPI document of `/api/v2`, as a running API shows it at `/openapi.json`."""
    with tempfile.TemporaryDirectory() as folder:
        ring = Path(folder) / "messages.json"
        ring.write_text(new_ring(datetime.now(UTC)))
        settings = ApiSettings(
            database_url=f"sqlite:///{folder}/shield.db",
            jwt_secret="a document needs no secret, and an API does",
            message_keys=ring,
            rollouts="table",
            embedded=True,
        )
        services = open_services(settings, artifacts=open_store(Path(folder)))
        try:
            whole: dict[str, Any] = create_app(services).openapi()
        finally:
            services.engine.dispose()
    paths = {path: item for path, item in whole["paths"].items() if path.startswith("/api/v2/")}
    return {**whole, "paths": paths}


def problems() -> Iterator[type[ShieldError]]:
    """Yield every problem that an answer may be, each after the one that it is a kind of."""
    waiting = list(ShieldError.__subclasses__())
    while waiting:
        kind = waiting.pop(0)
        yield kind
        waiting.extend(kind.__subclasses__())


def problems_script() -> str:
    """Return the TypeScript classes of the problem documents, one per slug."""
    lines = [
        "// Generated from shield/errors.py; do not edit.",
        'import { Problem } from "../problem";',
        "",
    ]
    table = []
    for kind in problems():
        parent = kind.__base__
        base = "Problem" if parent is ShieldError or parent is None else parent.__name__
        meaning = (kind.__doc__ or kind.title).splitlines()[0]
        lines += [f"/** {meaning} */", f"export class {kind.__name__} extends {base} {{}}", ""]
        table.append(f"  {json.dumps(kind.slug)}: {kind.__name__},")
    by_status = {kind.status: kind for kind in reversed(list(ShieldError.__subclasses__()))}
    by_status.pop(500, None)
    statuses = [f"  {status}: {kind.__name__}," for status, kind in sorted(by_status.items())]
    constructor = "new (...words: ConstructorParameters<typeof Problem>) => Problem"
    lines += [
        "/** The class of each slug. */",
        f"export const BY_SLUG: Record<string, {constructor}> = {{",
        *table,
        "};",
        "",
        "/** The class of a status, where the slug is newer than this package. */",
        f"export const BY_STATUS: Record<number, {constructor}> = {{",
        *statuses,
        "};",
    ]
    return "\n".join(lines) + "\n"


def labels_script() -> str:
    """Return what the result model needs of the label vocabulary."""
    labels = {record.scan_type.value: list(record.labels) for record in MODEL_TYPES.values()}
    kinds = " | ".join(json.dumps(kind.value) for kind in FeedbackType)
    return (
        "// Generated from shield/labels.py; do not edit.\n\n"
        "/** The two labels of each scan type; the harmless one comes first. */\n"
        f"export const LABELS = {json.dumps(labels, indent=2)} as const;\n\n"
        f"export type FeedbackType = {kinds};\n"
    )


def judge_sources() -> dict[str, str]:
    """Return the judge on the phone, which the npm package hands on: file name -> TypeScript.

    Where it is kept between two calls is the app's own choice, so the pages' `shelf.ts` stays.
    """
    sources = sorted((ASSETS / "src" / "judge").glob("*.ts"))
    return {f"judge/{path.name}": path.read_text() for path in sources if path.name != "shelf.ts"}


def shared_sources() -> dict[str, str]:
    """Return the modules of the pages that the npm package uses too: file name -> TypeScript."""
    return {f"lib/{name}": (ASSETS / "src" / "lib" / name).read_text() for name in SHARED}


TEXTS: dict[str, str | None] = {
    "verdict.scam": "verdict.scam",
    "verdict.harmless": "verdict.harmless",
    "verdict.unsure": "verdict.unsure",
    "certainty.sure": None,
    "certainty.leaning.scam": None,
    "certainty.leaning.harmless": None,
    "card.why": "why.title",
    "card.busy": None,
    "card.problem": None,
    "card.version": "judged.server",
    "feedback.question": "opinion.ask",
    "feedback.correct": "opinion.right",
    "feedback.wrong": "opinion.wrong",
    "feedback.change": "opinion.change",
    "feedback.sign-in": None,
    "feedback.truth.scam": None,
    "feedback.truth.harmless": None,
    "feedback.sending": None,
    "feedback.waiting": None,
    "feedback.signed-out": None,
    "feedback.sent": None,
    "feedback.failed": "opinion.refused",
    "feedback.approved": None,
    "feedback.rejected": None,
    "feedback.unkept": "opinion.notKept",
    "dialog.title": "opinion.title",
    "dialog.harmless": "opinion.harmless",
    "dialog.scam": "opinion.scam",
    "dialog.comment": "opinion.comment",
    "dialog.hint": "opinion.hint",
    "dialog.who-reads": "opinion.fine",
    "dialog.cancel": "cancel",
    "dialog.send": "opinion.send",
}
"""Each text of the elements, and the sentence of `/app` that it is; None: the elements have their
own, in `src/elements/words/`."""


def words() -> dict[str, dict[str, str]]:
    """Return the elements' texts: language -> key -> text.

    Raises:
        Misconfigured: A language lacks a text; the message says which.
    """
    folder = Path(__file__).parent / "typescript/src/elements/words"
    told = {}
    for path in sorted((ASSETS / "src/words").glob("*.json")):
        pages = json.loads(path.read_text(encoding="utf-8"))
        own_path = folder / path.name
        own = json.loads(own_path.read_text(encoding="utf-8")) if own_path.is_file() else {}
        texts = {key: pages.get(page) if page else own.get(key) for key, page in TEXTS.items()}
        lacking = [key for key, text in texts.items() if not text]
        if lacking or len(own) != list(TEXTS.values()).count(None):
            raise Misconfigured(
                f"{own_path} must have the texts of clients.contract.TEXTS that are no sentence of "
                f"the pages, and no others; missing: {', '.join(lacking) or 'none'}."
            )
        told[path.stem] = {
            key: str(text).replace("{why}", "{reason}") for key, text in texts.items()
        }
    return told


def words_script() -> str:
    """Return the elements' texts as TypeScript."""
    return (
        "// Generated from the pages' words and src/elements/words; do not edit.\n\n"
        f"export const WORDS = {json.dumps(words(), indent=1, ensure_ascii=False)} as const;\n"
    )


def reasons_script() -> str:
    """Return the tables that a device explains its verdicts by, as TypeScript."""
    return (
        "// Generated from shield/reasons; do not edit.\n"
        'import type { ReasonTables } from "./judge/reasons";\n\n'
        f"export const TABLES: ReasonTables = {reasons.table().strip()};\n"
    )


def files() -> dict[str, str]:
    """Return what is generated: file name -> text."""
    return {
        **judge_sources(),
        **shared_sources(),
        "openapi.json": json.dumps(document(), indent=2, ensure_ascii=False) + "\n",
        "problems.ts": problems_script(),
        "labels.ts": labels_script(),
        "words.ts": words_script(),
        "reasons.ts": reasons_script(),
    }


def write(folder: Path) -> None:
    """Write all files into `folder`."""
    for name, text in files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
