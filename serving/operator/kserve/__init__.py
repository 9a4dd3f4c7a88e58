"""The serving backend KServe: one InferenceService per rollout, its canary as the split.

`arrange` decides (pure), `objects` builds the objects, `cluster` implements `Cluster`.
"""

from serving.operator.kserve.cluster import KServeCluster

__all__ = ["KServeCluster"]
