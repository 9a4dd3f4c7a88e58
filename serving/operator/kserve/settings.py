"""Settings of the KServe backend."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shield.environment import Settings


class KServeSettings(Settings):
    """Whether and how KServe runs the model servers."""

    model_config = SettingsConfigDict(env_prefix="SHIELD_KSERVE_", use_attribute_docstrings=True)

    enabled: bool = False
    """Use InferenceServices and their canary instead of Deployments."""

    annotations: dict[str, str] = {"serving.kserve.io/deploymentMode": "Knative"}
    """Annotations, as JSON, of the InferenceServices. KServe before 0.16 calls the mode
    `Serverless`."""

    cluster_domain: str = Field(default="cluster.local", min_length=1)
    """Domain of the cluster in the host names of revisions."""
