#!/bin/sh
# install.sh EXTRA...: inside an image, install exactly what uv.lock pins for these extras into
# /opt/venv, and write the list of these parts (SBOM) there. The project itself is not installed.
set -eu
lock=$(dirname "$0")
for extra in "$@"; do
  set -- "$@" --extra "$extra"
  shift
done
export UV_PROJECT_ENVIRONMENT=/opt/venv UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy
export PATH="$PATH:/opt/uv/bin"
uv sync --project "$lock" --frozen --no-dev --no-install-project --no-cache --compile-bytecode "$@"
uv export --project "$lock" --frozen --no-dev --no-cache --quiet --format cyclonedx1.5 "$@" \
  --output-file /opt/venv/sbom.cdx.json
rm -f /tmp/uv-*.lock
