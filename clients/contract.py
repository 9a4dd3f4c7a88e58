"""What the client libraries know of the API, taken from the application.

`python -m clients.contract FOLDER` writes it. Nothing of it is committed, so nothing of it can be
out of date: each build writes it anew.
"""

import json
import re
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
from api.pages.templates import FOLDER
from api.settings import ApiSettings
from shield.artifacts.opening import open_store
from shield.errors import ShieldError

SHARED = (
    *("database.ts", "element.ts", "letters.ts", "links.ts", "moments.ts", "platform.ts"),
    *("rules.ts", "scan-types.ts", "sending.ts", "verdicts.ts"),
)
"""Modules of the pages' `lib/` that the npm package is built with."""

_GROUPS = "verdict|certainty|card|now|happened|step|share|feedback|dialog"
TEXTS = re.compile(rf"(?:{_GROUPS})\.[\w.-]+|cancel")
"""Which sentences of the pages the elements say; `elements/texts.ts` has the same list."""

_SYMBOL = re.compile(r'symbol\("([\w-]+)"\) %}(.*?){% endcall')
_SHAPE = re.compile(r"<(\w+) ([^>]*)/>")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


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


def judge_sources() -> dict[str, str]:
    """Return the judge on the phone, which the npm package hands on: file name -> TypeScript.

    Where it is kept between two calls is the app's own choice, so the pages' `shelf.ts` stays; and
    `whole.ts` needs files of tens of megabytes, a tokenizer and an engine that are not handed on.
    """
    own = {"shelf.ts", "whole.ts"}
    sources = sorted((ASSETS / "src" / "judge").glob("*.ts"))
    return {f"judge/{path.name}": path.read_text() for path in sources if path.name not in own}


def shared_sources() -> dict[str, str]:
    """Return the modules of the pages that the npm package uses too: file name -> TypeScript."""
    source = ASSETS / "src"
    shared = [*(source / "lib" / name for name in SHARED), *(source / "elements").glob("*.ts")]
    return {str(path.relative_to(source)): path.read_text() for path in sorted(shared)} | {
        "elements/texts.ts": 'import type { WORDS } from "../words";\n\n'
        "export type Word = keyof typeof WORDS.en;\n",
        "elements/icons.ts": icons_script(),
    }


def icons_script() -> str:
    """Return the icons that the elements show, as TypeScript: built without parsing markup."""
    source = "".join(path.read_text() for path in (ASSETS / "src" / "elements").glob("*.ts"))
    icons = {
        name: [[tag, dict(_ATTRIBUTE.findall(given))] for tag, given in _SHAPE.findall(shapes)]
        for name, shapes in _SYMBOL.findall((FOLDER / "icons.svg").read_text())
        if f'"{name}"' in source
    }
    return (
        "// Generated from the pages' icons.svg; do not edit.\n\n"
        "const ICONS: Record<string, [string, Record<string, string>][]> = "
        f"{json.dumps(icons)};\n\n"
        "export function shapesOf(name: string): Node[] {\n"
        "  return (ICONS[name] ?? []).map(([tag, attributes]) => {\n"
        '    const shape = document.createElementNS("http://www.w3.org/2000/svg", tag);\n'
        "    for (const [key, value] of Object.entries(attributes))\n"
        "      shape.setAttribute(key, value);\n"
        "    return shape;\n"
        "  });\n"
        "}\n"
    )


def words() -> dict[str, dict[str, str]]:
    """Return the elements' texts: language -> key -> text, in the languages of the pages."""
    tables = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((ASSETS / "src/words").glob("*.json"))
    }
    return {
        language: {key: text for key, text in table.items() if TEXTS.fullmatch(key)}
        for language, table in tables.items()
    }


def words_script() -> str:
    """Return the elements' texts as TypeScript."""
    return (
        "// Generated from the pages' words; do not edit.\n\n"
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
