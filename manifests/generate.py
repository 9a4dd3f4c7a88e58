"""Derive what is derived: the chart's README, schema and copies; kustomize's base and overlays.

    python -m manifests.generate --helm HELM [--check]

The chart is the one source. `manifests/base` is what it renders with `helm/ci/base-values.yaml`,
and each overlay is the difference to what it renders with `helm/ci/<overlay>-values.yaml`.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from manifests.chart import readme, values_schema

ROOT = Path(__file__).parents[1]
OVERLAYS = ("dev", "kubeflow", "gpu", "gateway")
RELEASE = NAMESPACE = "antispam-shield"

Object = dict[str, Any]


def main() -> int:
    """Write every derived file, or with `--check` name those that are not current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--helm", help="The helm binary; else the one on the PATH, or the tests'.")
    parser.add_argument("--check", action="store_true", help="Write nothing; fail if stale.")
    options = parser.parse_args()
    stale = []
    # Chart files first: what is rendered below depends on them.
    for stage in (chart_files, lambda: kustomize_files(options.helm or find_helm())):
        for path, content in stage():
            if path.exists() and path.read_text() == content:
                continue
            stale.append(path)
            if not options.check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
    for path in stale:
        sys.stderr.write(f"{'stale' if options.check else 'wrote'} {path.relative_to(ROOT)}\n")
    return 1 if options.check and stale else 0


def find_helm() -> str:
    """Return the helm on the PATH, or the one that the tests build for themselves."""
    helm = shutil.which("helm")
    if helm:
        return helm
    from tests.support.controlplane import ensure_binaries  # a working tree has the tests

    return str(ensure_binaries() / "helm")


def chart_files() -> Iterator[tuple[Path, str]]:
    """Yield the files of the chart that have another source."""
    for crd in sorted((ROOT / "manifests/crds").glob("*.yaml")):
        if crd.name != "kustomization.yaml":
            yield ROOT / "helm/files/crds" / crd.name, crd.read_text()
    values = (ROOT / "helm/values.yaml").read_text()
    yield ROOT / "helm/README.md", readme(values)
    yield ROOT / "helm/values.schema.json", values_schema(values)


def render(helm: str, values: str) -> list[Object]:
    """Return the chart's objects for `helm/ci/<values>-values.yaml`, without what is Helm's own.

    Hooks (uninstall, `helm test`) have no meaning without Helm.
    """
    command = [helm, "template", RELEASE, str(ROOT / "helm"), "--namespace", NAMESPACE]
    command += ["--values", str(ROOT / f"helm/ci/{values}-values.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    objects = [document for document in yaml.safe_load_all(done.stdout) if document]
    return [plain(manifest) for manifest in objects if not is_hook(manifest)]


def is_hook(found: Object) -> bool:
    """Tell whether Helm runs this object at an event, instead of keeping it."""
    return "helm.sh/hook" in found["metadata"].get("annotations", {})


def plain(found: Any) -> Any:
    """Take the labels and annotations away that say that Helm made it."""
    if isinstance(found, dict):
        for name in ("labels", "annotations"):
            kept = {
                key: value
                for key, value in (found.get(name) or {}).items()
                if not key.startswith("helm.sh/") and key != "app.kubernetes.io/managed-by"
            }
            if isinstance(found.get(name), dict):
                found[name] = kept
                if not kept:
                    del found[name]
        for value in found.values():
            plain(value)
    elif isinstance(found, list):
        for value in found:
            plain(value)
    return found


def identity(found: Object) -> tuple[str, str, str]:
    """Return what tells objects apart."""
    return found["apiVersion"], found["kind"], found["metadata"]["name"]


def component(found: Object) -> str:
    """Return the file that an object belongs to."""
    labels = found["metadata"].get("labels", {})
    return str(labels.get("app.kubernetes.io/component", "crds"))


def dump(objects: list[Object]) -> str:
    """Return objects as one YAML stream."""
    return yaml.safe_dump_all(objects, sort_keys=False, width=100)


def kustomize_files(helm: str) -> Iterator[tuple[Path, str]]:
    """Yield the files of the base and of the overlays."""
    base = [
        manifest
        for manifest in render(helm, "base")
        if manifest["kind"] != "CustomResourceDefinition"
    ]
    folder = ROOT / "manifests/base"
    names = sorted({component(manifest) for manifest in base})
    for name in names:
        yield (
            folder / f"{name}.yaml",
            dump([manifest for manifest in base if component(manifest) == name]),
        )
    resources = [f"{name}.yaml" for name in names]
    crds = sorted(path.name for path in (ROOT / "manifests/crds").glob("*.yaml"))
    crds = [name for name in crds if name != "kustomization.yaml"]
    if crds:
        yield ROOT / "manifests/crds/kustomization.yaml", kustomization({"resources": crds})
        resources = ["../crds", *resources]
    yield folder / "kustomization.yaml", kustomization({"resources": resources})
    for overlay in OVERLAYS:
        overlaid = [
            manifest
            for manifest in render(helm, overlay)
            if manifest["kind"] != "CustomResourceDefinition"
        ]
        yield from overlay_files(overlay, base, overlaid)


def overlay_files(
    overlay: str, base: list[Object], wanted: list[Object]
) -> Iterator[tuple[Path, str]]:
    """Yield an overlay that turns `base` into `wanted`: objects added, deleted, and changed."""
    folder = ROOT / "manifests/overlays" / overlay
    old = {identity(manifest): manifest for manifest in base}
    new = {identity(manifest): manifest for manifest in wanted}
    content: Object = {"resources": ["../../base"]}
    added = [manifest for key, manifest in new.items() if key not in old]
    if added:
        yield folder / "added.yaml", dump(added)
        content["resources"].append("added.yaml")
    patches: list[Object] = []
    for key, manifest in old.items():
        if key not in new:
            patches.append({"patch": dump([{**head(manifest), "$patch": "delete"}])})
        elif operations := list(difference(manifest, new[key], "")):
            group, _, version = manifest["apiVersion"].rpartition("/")
            target = {"group": group, "version": version, "kind": key[1], "name": key[2]}
            patches.append(
                {
                    "target": {name: value for name, value in target.items() if value},
                    "patch": yaml.safe_dump(operations, sort_keys=False, width=100),
                }
            )
    if patches:
        content["patches"] = patches
    yield folder / "kustomization.yaml", kustomization(content)


def head(found: Object) -> Object:
    """Return what names an object."""
    metadata = {
        name: found["metadata"][name] for name in ("name", "namespace") if name in found["metadata"]
    }
    return {"apiVersion": found["apiVersion"], "kind": found["kind"], "metadata": metadata}


def difference(old: Any, new: Any, path: str) -> Iterator[Object]:
    """Yield the JSON patch (RFC 6902) from `old` to `new`. Lists that differ are replaced whole."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        if old != new:
            yield {"op": "replace", "path": path, "value": new}
        return
    for key in [*old, *(key for key in new if key not in old)]:
        step = f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}"
        if key not in new:
            yield {"op": "remove", "path": step}
        elif key not in old:
            yield {"op": "add", "path": step, "value": new[key]}
        else:
            yield from difference(old[key], new[key], step)


def kustomization(content: Object) -> str:
    """Return a kustomization file."""
    first = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    text = yaml.safe_dump({**first, **content}, sort_keys=False, width=100)
    return f"# Generated from the chart by `make manifests`; put your own overlay on top.\n{text}"


if __name__ == "__main__":
    sys.exit(main())
