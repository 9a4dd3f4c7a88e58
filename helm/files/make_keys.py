"""Make the keys that are missing, as Secrets of this namespace. Existing keys stay as they are."""

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from api.kit.keyring import new_ring
from shield.packages.keys import generate_key

config.load_incluster_config()
core = client.CoreV1Api()
account = Path("/var/run/secrets/kubernetes.io/serviceaccount")
namespace = (account / "namespace").read_text().strip()


def create_once(name: str, content: dict[str, str]) -> bool:
    """Create a Secret; tell whether it is new."""
    body = client.V1Secret(metadata=client.V1ObjectMeta(name=name), string_data=content)
    try:
        core.create_namespaced_secret(namespace, body)
    except ApiException as error:
        if error.status != 409:
            raise
        print(f"{name} exists and is left as it is.", flush=True)
        return False
    print(f"{name} is made. Back it up: see docs/operations.md.", flush=True)
    return True


auth = {"jwt-secret": secrets.token_hex(32), "message-keys.json": new_ring(datetime.now(UTC))}
create_once(os.environ["AUTH_SECRET"], auth)

# The public half goes first: a signing key whose packages nobody trusts would be of no use.
pair = generate_key()
signing, trusted = os.environ["SIGNING_SECRET"], os.environ["TRUSTED_SECRET"]
try:
    core.read_namespaced_secret(signing, namespace)
    print(f"{signing} exists and is left as it is.", flush=True)
except ApiException as error:
    if error.status != 404:
        raise
    public = {f"{pair.key_id}.pem": pair.public_pem.decode()}
    if not create_once(trusted, public):
        core.patch_namespaced_secret(trusted, namespace, {"stringData": public})
    create_once(signing, {"signing.pem": pair.private_pem.decode()})
