"""KServe as the serving backend: one InferenceService per rollout, and its canary as the split.

`arrange` decides (pure), `objects` builds, `cluster` is the door.
"""

from serving.operator.kserve.cluster import KServeCluster

__all__ = ["KServeCluster"]
