"""Build the Kotlin client: `python -m clients.jvm`.

Needs a Java 17 or newer; Maven only brings the jars that `pom.xml` pins, once per machine, and each
is checked against `jars.sha256` before it is used. Kotlin's compiler is one of them, and is run
directly: nothing else takes part in a build. What was built is kept by the digest of its sources.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from fcntl import LOCK_EX, flock
from pathlib import Path

from api.pages.reasons import FILE as REASONS
from shield.errors import Misconfigured, ShieldError

PROJECT = Path(__file__).parent / "kotlin"
OLDEST_JAVA = 17
_FETCH = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_COMPILER = "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"
_COMPILED_BY = ("kotlin-", "kotlinx-coroutines-", "annotations-")
_COMPILED_WITH = ("kotlin-stdlib-", "kotlinx-", "sqlite-jdbc-", "junit-", "opentest4j-", "apigu")


def home() -> Path:
    """Return the folder that jars and builds are kept in, outside the tree."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "antispam-shield" / "jvm"


def java() -> str:
    """Return a Java that is new enough; installs Debian's where there is none and root may.

    Raises:
        Misconfigured: There is none, and none could be had.
    """
    return _program("java", ["-version"], OLDEST_JAVA, "default-jre-headless")


def jars() -> list[Path]:
    """Return the jars that `pom.xml` pins, each with the bytes that were pinned.

    Raises:
        Misconfigured: They could not be fetched, or one is another than was pinned.
    """
    pinned = _pinned()
    name = hashlib.sha256(repr(sorted(pinned.items())).encode()).hexdigest()[:16]
    folder = home() / f"jars-{name}"
    home().mkdir(parents=True, exist_ok=True)
    with (home() / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not folder.is_dir():
            _fetch(folder, pinned)
    return [folder / jar for jar in pinned]


def _fetch(folder: Path, pinned: dict[str, str]) -> None:
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    java()
    _say("Fetching what the Kotlin client is built with (80 MB by Maven, once) ...")
    maven = _program("mvn", ["-version"], 3, "maven")
    # -C: a jar whose checksum is not the registry's is no jar.
    _run([maven, "-q", "-B", "-ntp", "-C", _FETCH, f"-DoutputDirectory={part}"], PROJECT)
    for jar, digest in pinned.items():
        actual = (
            hashlib.sha256((part / jar).read_bytes()).hexdigest() if (part / jar).exists() else ""
        )
        if actual != digest:
            raise Misconfigured(
                f"{jar} is not the one that clients/kotlin/jars.sha256 pins (sha256 "
                f"{actual[:12] or 'missing'}). If pom.xml was changed on purpose, run `sha256sum "
                f"*.jar` in {part} and commit what it says."
            )
    part.rename(folder)


def _pinned() -> dict[str, str]:
    lines = (PROJECT / "jars.sha256").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def client_jar() -> Path:
    """Return the compiled client; compiled when its sources have changed.

    Raises:
        Misconfigured: No Java, or the compiler refused; the message holds its words.
    """
    sources = PROJECT / "src" / "main" / "kotlin"
    return compiled("client", sources, [], {f"org/antispamshield/client/{REASONS.name}": REASONS})


def _named(beginnings: tuple[str, ...], files: Iterable[Path]) -> list[Path]:
    return [file for file in files if file.name.startswith(beginnings)]


def libraries() -> list[Path]:
    """Return the jars that the client, and its tests, are compiled and run with."""
    return _named(_COMPILED_WITH, jars())


def compiled(
    name: str, sources: Path, uses: list[Path], resources: dict[str, Path] | None = None
) -> Path:
    """Return the jar `name` of the Kotlin files in `sources`, which use the jars `uses`.

    `resources` are further files of the jar: name in it -> file.
    """
    brings = resources or {}
    digest = hashlib.sha256((PROJECT / "jars.sha256").read_bytes())
    for path in [*uses, *sorted(sources.rglob("*.kt")), *brings.values()]:
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    target = home() / f"{name}-{digest.hexdigest()[:16]}.jar"
    every, with_these = jars(), libraries()  # before the lock, which they take too
    with (home() / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if target.exists():
            return target
        for old in home().glob(f"{name}-{'[0-9a-f]' * 16}.jar"):
            old.unlink()
        _say(f"Compiling {name} ...")
        part = target.with_suffix(".part.jar")
        plugin = next(jar for jar in every if "serialization-compiler-plugin" in jar.name)
        command = [java(), "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp"]
        command += [os.pathsep.join(map(str, _named(_COMPILED_BY, every))), _COMPILER]
        command += ["-no-stdlib", "-no-reflect", "-Werror", "-jvm-target", str(OLDEST_JAVA)]
        command += [] if uses else ["-Xexplicit-api=strict"]
        class_path = os.pathsep.join(map(str, [*with_these, *uses]))
        command += ["-cp", class_path, f"-Xplugin={plugin}", "-d", str(part), str(sources)]
        _run(command, PROJECT)
        with zipfile.ZipFile(part, "a", zipfile.ZIP_DEFLATED) as jar:
            for inside, file in brings.items():
                jar.write(file, inside)
        part.rename(target)
    return target


def _program(name: str, ask: list[str], oldest: int, package: str) -> str:
    for attempt in range(2):
        path = shutil.which(name)
        if path is not None:
            said = subprocess.run([path, *ask], capture_output=True, text=True, check=False)
            number = re.search(
                r"(\d+)\.\d+", re.sub(r"\x1b\[[\d;]*m", "", said.stderr + said.stdout)
            )
            if number is not None and int(number[1]) >= oldest:
                return path
        if attempt == 0 and os.geteuid() == 0 and shutil.which("apt-get"):
            _say(f"Installing {package} from Debian's packages ...")
            quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            for step in (["update"], ["install", "-y", "--no-install-recommends", package]):
                command = ["apt-get", "-qq", *step]
                subprocess.run(command, env=quiet, check=False, stdout=sys.stderr)
    raise Misconfigured(
        f"The Kotlin client needs {name} {oldest} or newer, and there is none. Install it (Debian: "
        f"`apt-get install {package}`)."
    )


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = (done.stdout + done.stderr).strip()[-4000:]
        raise Misconfigured(f"{Path(command[0]).name} failed in {folder}:\n{words}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def main() -> int:
    """Run from the command line."""
    try:
        _say(f"Built {client_jar()}")
    except ShieldError as fault:
        _say(fault.message)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
