"""The images' recipe: linted, without root, and each with no more than it runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_runs_without_root_and_holds_one_environment(image: str) -> None:
    base, lines = stages()[image]
    assert base == "runtime"
    assert "USER" not in lines, "the user is set once, in the runtime stage"
    assert f"COPY --from=build-{image} /opt/venv /opt/venv" in lines
    assert "RUN" not in lines
    assert re.search(r"^USER 65532:65532$", stages()["runtime"][1], flags=re.M)


@pytest.mark.parametrize("image", IMAGES)
def test_the_list_of_parts_names_the_extras_that_are_installed(image: str) -> None:
    lines = stages()[f"build-{image}"][1]
    syncs = [re.findall(r"--extra (\S+)", line) for line in lines.splitlines() if "uv sync" in line]
    exports = [
        re.findall(r"--extra (\S+)", line) for line in lines.splitlines() if "uv export" in line
    ]
    assert len(syncs) == 2
    assert syncs[0] == syncs[1] == exports[0]


@pytest.mark.parametrize("image", ["api", "serving", "operator", "pipeline"])
def test_no_torch_where_nothing_is_trained(image: str) -> None:
    extras = re.findall(r"--extra (\S+)", stages()[f"build-{image}"][1].split("uv export")[0])
    command = [uv(), "export", "--frozen", "--quiet", "--no-dev", "--no-hashes"]
    done = subprocess.run(
        [*command, *(word for extra in extras for word in ("--extra", extra))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = {re.split(r"[=<> ;\[]", line)[0] for line in done.stdout.splitlines()}
    assert {"httpx", "pydantic"} <= names
    assert not names & {"torch", "transformers", "datasets", "scikit-learn"}


def test_base_images_are_pinned_to_a_patch_version() -> None:
    arguments = re.findall(r"^ARG (?:PYTHON|NODE)=(\S+)$", CONTAINERFILE.read_text(), flags=re.M)
    assert len(arguments) == 2
    assert all(re.search(r":\d+\.\d+\.\d+-", image) for image in arguments)


def test_every_image_of_the_chart_is_built() -> None:
    templates = "".join(path.read_text() for path in (ROOT / "helm/templates").glob("*.*"))
    asked = set(re.findall(r'"image" "(\w+)"', templates))
    assert asked == set(IMAGES)
    assert asked <= set(stages())
