"""Opens the `RolloutStore` that the settings name."""

from sqlalchemy import Engine

from shield.errors import Misconfigured
from shield.rollouts import RolloutStore
from shield.rollouts.table import TableRolloutStore


def open_rollouts(
    kind: str, *, engine: Engine | None = None, namespace: str | None = None
) -> RolloutStore:
    """Return the store of `kind`.

    Args:
        kind: `table` or `kubernetes`.
        engine: Of the database that holds the table; needed for `table`.
        namespace: Where the `ModelRollout` objects are; by default the namespace of this pod, or of
            the current kubeconfig context.

    Raises:
        Misconfigured: An unknown kind, no engine for a table, or no cluster to be found.
    """
    if kind == "table":
        if engine is None:
            raise Misconfigured("Rollouts in a table need a database. Set `SHIELD_DATABASE_URL`.")
        return TableRolloutStore(engine)
    if kind == "kubernetes":
        # Imported here: on a laptop nothing needs the Kubernetes client.
        from shield.rollouts.kubernetes import KubernetesRolloutStore

        return KubernetesRolloutStore.connect(namespace)
    raise Misconfigured(
        f"There is no rollout store {kind!r}. Set `SHIELD_ROLLOUTS` to `table` or `kubernetes`."
    )
