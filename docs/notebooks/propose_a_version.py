# %% [markdown]
# # Propose a version
#
# Sign a package, put it into the store, give it a name, and ask for its trial. Users decide with
# it only step by step, and reviewers' blind decisions promote or reject it: no notebook does.
#
# `SHIELD_API_URL` and `SHIELD_API_TOKEN` name the server and an admin's token (`shieldctl token`),
# `SHIELD_ARTIFACTS_ROOT` the store, `SHIELD_SIGNING_KEY` the key that the servers trust.
#
#     python docs/notebooks/propose_a_version.py PACKAGE "why it should be tried"

# %%
import os
import sys
from pathlib import Path

from shield.artifacts.opening import open_store
from shield.client import ShieldClient
from shield.errors import NotFound
from shield.packages import load_private_key, push, sign
from shield.wire import RolloutRequest, VersionRequest

folder, reason = Path(sys.argv[1]), sys.argv[2]
client = ShieldClient(os.environ["SHIELD_API_URL"], os.environ["SHIELD_API_TOKEN"])

# %% [markdown]
# Signing says "this may serve"; the digest that it signs is the version's identity from now on.

# %%
package = sign(folder, load_private_key(Path(os.environ["SHIELD_SIGNING_KEY"])))
pushed = push(open_store(), folder)
print(pushed.digest, "lies in", pushed.uri)

# %% [markdown]
# The registry gives it the next name. Its parent is what it was trained from, here the champion.

# %%
kind = package.manifest.model_type
parent: str | None
try:
    parent = client.champion(kind).name
except NotFound:
    parent = None
version = client.register_version(
    kind,
    VersionRequest(
        digest=pushed.digest,
        uri=pushed.uri,
        parent=parent,
        metrics=dict(package.manifest.metrics),
    ),
)
print(version.name, version.status)

# %% [markdown]
# Ask for its trial, and follow it: `shieldctl rollout status TYPE`.

# %%
rollout = client.request_rollout(kind, RolloutRequest(version=version.name, reason=reason))
print("wanted:", rollout.spec.version.name, "instead of", parent or "nothing")
client.close()
