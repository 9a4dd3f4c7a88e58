"""The images' recipe: linted, without root, and each with no more than it runs."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from api.pages.build import ASSETS, node_folder, run
from tests.support.uv import uv

ROOT = Path(__file__).parents[3]
CONTAINERFILE = ROOT / "images/Containerfile"
IMAGES = ["api", "serving", "operator", "pipeline", "training"]


def stages() -> dict[str, tuple[str, str]]:
    """Return stage -> (what it is from, its lines)."""
    text = CONTAINERFILE.read_text()
    parts = re.split(r"^FROM (\S+) AS (\S+)$", text, flags=re.M)[1:]
    return {parts[i + 1]: (parts[i], parts[i + 2]) for i in range(0, len(parts), 3)}


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, CONTAINERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def extras(image: str) -> list[str]:
    """Return the extras that an image holds."""
    (found,) = re.findall(r"install\.sh (.+)$", stages()[image][1], flags=re.M)
    return str(found).split()


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_runs_without_root_and_holds_one_environment(image: str) -> None:
    base, lines = stages()[image]
    assert base == "runtime"
    assert re.findall(r"^USER (.+)$", lines, flags=re.M) == ["65532:65532"]
    assert lines.count("RUN") == 1
    assert lines.index("RUN") < lines.index("USER")


@pytest.mark.parametrize("image", IMAGES)
def test_a_change_of_ours_or_of_the_revision_comes_after_the_layer_of_packages(image: str) -> None:
    lines = stages()[image][1]
    assert lines.index("RUN") < lines.index("COPY --from=code") < lines.index("ARG REVISION")
    assert "ARG" not in stages()["runtime"][1]


@pytest.mark.parametrize("image", ["api", "serving", "operator", "pipeline"])
def test_no_torch_where_nothing_is_trained(image: str) -> None:
    command = [uv(), "export", "--frozen", "--quiet", "--no-dev", "--no-hashes"]
    done = subprocess.run(
        [*command, *(word for extra in extras(image) for word in ("--extra", extra))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = {re.split(r"[=<> ;\[]", line)[0] for line in done.stdout.splitlines()}
    assert {"httpx", "pydantic"} <= names
    assert not names & {"torch", "transformers", "datasets", "scikit-learn"}


def test_what_is_installed_and_the_list_of_parts_are_of_the_same_extras(tmp_path: Path) -> None:
    (tmp_path / "uv").write_text('#!/bin/sh\necho "$@" >> "$CALLS"\n')
    (tmp_path / "uv").chmod(0o755)
    calls = tmp_path / "calls"
    path = f"{tmp_path}:/usr/bin:/bin"
    subprocess.run(
        [ROOT / "images/install.sh", "pipelines", "cli"],
        env={"PATH": path, "CALLS": str(calls)},
        check=True,
    )
    sync, export = calls.read_text().splitlines()
    for call in (sync, export):
        assert "--frozen --no-dev" in call
        assert re.findall(r"--extra (\S+)", call) == ["pipelines", "cli"]
    assert sync.startswith("sync")
    assert export.endswith("--output-file /opt/venv/sbom.cdx.json")


def test_the_pages_are_built_from_what_their_stage_copies(tmp_path: Path) -> None:
    lines = stages()["pages"][1]
    (folder,) = re.findall(r"^WORKDIR /(\S+)$", lines, flags=re.M)
    inside = tmp_path / folder
    for source, target in re.findall(r"^COPY (\S+) (\S+)$", lines, flags=re.M):
        kept = shutil.ignore_patterns("node_modules")
        shutil.copytree(ROOT / source, inside / target, ignore=kept, dirs_exist_ok=True)
    (inside / "node_modules").symlink_to(ASSETS / "node_modules")
    environment = {
        "PATH": str(node_folder()),
        "SHIELD_BUILD_DIR": str(tmp_path / "build"),
        "SHIELD_PICTURE_LANGUAGES": "none",
    }
    run(["node", "build.mjs"], environment, inside)
    assert (tmp_path / "build/manifest.json").exists()


def test_base_images_are_pinned_to_a_patch_version() -> None:
    arguments = re.findall(r"^ARG (?:PYTHON|NODE)=(\S+)$", CONTAINERFILE.read_text(), flags=re.M)
    assert len(arguments) == 2
    assert all(re.search(r":\d+\.\d+\.\d+-", image) for image in arguments)


def test_every_image_of_the_chart_is_built() -> None:
    templates = "".join(path.read_text() for path in (ROOT / "helm/templates").glob("*.*"))
    asked = set(re.findall(r'"image" "(\w+)"', templates))
    assert asked == set(IMAGES)
    assert asked <= set(stages())


def test_every_package_of_ours_goes_into_the_images() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    let_in = (ROOT / ".containerignore").read_text().splitlines()
    assert {f"!{name}" for name in packages} <= set(let_in)
    assert "corpora" in packages
