"""Build the npm package: `python -m clients.build [--pack]`.

Does nothing when neither its sources nor what it knows of the API have changed since the last
build, so it needs neither Node nor network then. `--pack` also writes the tarball that `npm
publish` would send.
"""

import hashlib
import os
import sys
from pathlib import Path

from api.pages.build import node_folder, npm, run
from clients import contract
from shield.errors import ShieldError

PACKAGE = Path(__file__).parent / "typescript"
GENERATED = PACKAGE / "src" / "generated"
STAMP = GENERATED / "built.sha256"


def sources_digest() -> str:
    """Return one SHA-256 over everything that the package is made from, the API's document too."""
    names = ("package.json", "package-lock.json", "tsconfig.json", "build.mjs")
    paths = [*(PACKAGE / name for name in names), *(PACKAGE / "src").rglob("*")]
    written = [path for path in paths if path.is_file() and GENERATED not in path.parents]
    content = {str(path.relative_to(PACKAGE)): path.read_bytes() for path in written}
    content |= {name: text.encode() for name, text in contract.files().items()}
    digest = hashlib.sha256()
    for name in sorted(content):
        digest.update(f"{name}\0".encode())
        digest.update(hashlib.sha256(content[name]).digest())
    return digest.hexdigest()


def build() -> bool:
    """Build when needed; tell whether anything was done.

    Raises:
        Misconfigured: No Node, or npm or a compiler failed; the message holds their last words.
    """
    digest = sources_digest()
    built = STAMP.is_file() and (PACKAGE / "dist" / "index.js").is_file()
    if built and STAMP.read_text().strip() == digest:
        return False
    contract.write(GENERATED)
    node, environment = _node()
    _say("Fetching what the client is built with (npm ci) ...")
    run(npm(node, "ci", "--no-audit", "--no-fund", "--loglevel=error"), environment, PACKAGE)
    _say("Building @antispam-shield/client ...")
    run([str(node / "node"), "build.mjs"], environment, PACKAGE)
    STAMP.write_text(f"{digest}\n")
    return True


def pack(folder: Path) -> Path:
    """Write the package's tarball into `folder` and return its path; build first when needed."""
    build()
    node, environment = _node()
    run(npm(node, "pack", "--silent", "--pack-destination", str(folder)), environment, PACKAGE)
    return next(folder.glob("antispam-shield-client-*.tgz"))


def _node() -> tuple[Path, dict[str, str]]:
    folder = node_folder()
    path = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    return folder, os.environ | {"PATH": path}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def main() -> int:
    """Run from the command line."""
    try:
        if "--pack" in sys.argv[1:]:
            _say(f"Packed {pack(PACKAGE)}")
        elif not build():
            _say("The client is built and current.")
    except ShieldError as fault:
        _say(fault.message)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
