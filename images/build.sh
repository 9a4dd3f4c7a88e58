#!/usr/bin/env bash
# Build the images, all or those that are named: images/build.sh [api serving operator pipeline training]
#   REGISTRY, TAG   how they are called (ghcr.io/antispam-shield, the version in pyproject.toml)
#   BUILDER         buildah, podman or docker; found if not given
#   BUILD_ARGS      passed on, e.g. "--isolation chroot --build-arg PYTHON=my/python:3.11"
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml | head -1)
registry=${REGISTRY:-ghcr.io/antispam-shield} tag=${TAG:-$version}
revision=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
for candidate in ${BUILDER:-buildah podman docker}; do
  if command -v "$candidate" >/dev/null; then builder=$candidate; break; fi
done
if [ -z "${builder:-}" ]; then
  echo "No image builder is installed. Install buildah, podman or docker, and run this again." >&2
  exit 1
fi
for image in "${@:-api serving operator pipeline training}"; do
  for target in $image; do
    echo "Building $registry/$target:$tag with $builder" >&2
    # shellcheck disable=SC2086  # BUILD_ARGS is a list of words
    "$builder" build --file images/Containerfile --target "$target" --tag "$registry/$target:$tag" \
      --build-arg "VERSION=$version" --build-arg "REVISION=$revision" ${BUILD_ARGS:-} .
  done
done
