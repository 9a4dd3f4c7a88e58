"""Who may talk to whom in the chart's trial: what its NetworkPolicies have to let pass."""

PORTS = {"api": 8000, "model-server": 8080, "operator": 8080, "postgresql": 5432, "seaweedfs": 8333}
"""Ports by the component that listens."""

COMPONENTS = ["api", "operator", "model-server", "pipeline", "migrate", "keys", "bucket", "test"]
"""Components that connect; those with data answer alone."""

NEEDED = {
    *[("api", "model-server"), ("operator", "model-server"), ("operator", "api")],
    *[("pipeline", "api"), ("test", "api"), ("api", "postgresql"), ("migrate", "postgresql")],
    *[("api", "seaweedfs"), ("bucket", "seaweedfs"), ("model-server", "seaweedfs")],
    ("pipeline", "seaweedfs"),
}
"""Pairs of source and target."""

KUBERNETES_CALLERS = {"api", "operator", "keys"}
"""Who may call the Kubernetes API."""

GATEWAYS_REACH = {"api"}
MONITORING_REACHES = {"api", "operator", "model-server"}
