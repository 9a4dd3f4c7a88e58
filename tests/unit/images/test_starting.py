"""Each image starts with what its recipe installs: packages that it lacks are hidden here."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.uv import uv

ROOT = Path(__file__).parents[3]
STARTED = {
    "api": ["api", "api.migrate", "api.token"],
    "serving": ["serving.server"],
    "operator": ["serving.operator"],
    "pipeline": ["pipelines.deploy", "pipelines.trainjob"],
    "training": ["pipelines.run", "pipelines.base", "pipelines.register", "cli.first_version"],
}
"""Image -> what is started in it by `python -m`."""
_START = """
import importlib, json, re, sys
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions
module, installed = sys.argv[1], set(json.loads(sys.argv[2]))
named = lambda name: re.sub(r"[-_.]+", "-", name).lower()
hidden = {
    package
    for package, distributions in packages_distributions().items()
    if not installed & {named(name) for name in distributions}
}
class Installed(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        seen = name.partition(".")[0] not in hidden
        return super().find_spec(name, path, target) if seen else None
sys.meta_path = [Installed if finder is PathFinder else finder for finder in sys.meta_path]
importlib.import_module(module)
try:
    importlib.import_module(module + ".__main__")
except ModuleNotFoundError as error:
    if error.name != module + ".__main__":
        raise
print(len(hidden))
"""


def installed(image: str) -> list[str]:
    """Return the distributions that the recipe installs in an image."""
    recipe = (ROOT / "images/Containerfile").read_text().partition(f"AS {image}\n")[2]
    found = re.search(r"install\.sh (.+)$", recipe, flags=re.M)
    assert found is not None
    extras = [word for extra in found[1].split() for word in ("--extra", extra)]
    command = [uv(), "export", "--frozen", "--quiet", "--no-dev", "--no-hashes", *extras]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    names = {re.split(r"[=<> ;\[]", line)[0] for line in done.stdout.splitlines()}
    return sorted({re.sub(r"[-_.]+", "-", name).lower() for name in names} | {"antispam-shield"})


@pytest.mark.parametrize(
    ("image", "module"), [(image, module) for image in STARTED for module in STARTED[image]]
)
def test_a_program_finds_all_that_it_imports_in_its_image(image: str, module: str) -> None:
    command = [sys.executable, "-c", _START, module, json.dumps(installed(image))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1500:]
    assert int(done.stdout.splitlines()[-1]) > 0, "nothing was hidden"


def test_every_program_that_the_chart_starts_is_among_these() -> None:
    chart = "".join(path.read_text() for path in (ROOT / "helm/templates").glob("*.*"))
    started = set(re.findall(r'python"?,? "?-m"?,? (?:\(\.module \| default )?"?([\w.]+)', chart))
    assert {"api", "pipelines.run", "serving.server"} <= started
    assert started == {module for modules in STARTED.values() for module in modules}
