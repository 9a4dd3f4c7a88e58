"""Images that the steps run in. Each is built from this repository, one extra per image."""

import os

LIGHT = os.environ.get("SHIELD_PIPELINE_IMAGE", "ghcr.io/antispam-shield/pipeline:0.1.0")
"""Steps that only talk to the API and the artifact store."""

TRAINING = os.environ.get("SHIELD_TRAINING_IMAGE", "ghcr.io/antispam-shield/training:0.1.0")
"""Steps that train or judge models."""
