#!/usr/bin/env bash
# The whole loop on a real node with real pods. Needs root, and these packages of Debian:
#   apt-get install buildah containerd runc containernetworking-plugins iptables conntrack iproute2 debootstrap
# Everything is kept under E2E_STATE (default /var/tmp/antispam-shield-e2e): images are built once.
set -euo pipefail
cd "$(dirname "$0")/../.."
missing=
for tool in buildah containerd runc iptables conntrack ip nsenter debootstrap ctr go; do
  command -v "$tool" >/dev/null || missing="$missing $tool"
done
if [ -n "$missing" ] || [ "$(id -u)" != 0 ]; then
  echo "make e2e needs root and:${missing:- nothing more}. Install what is missing with apt-get (see $0)." >&2
  exit 1
fi
exec .venv/bin/python -m tests.e2e "$@"
