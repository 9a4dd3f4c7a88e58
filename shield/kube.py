"""Calls of the Kubernetes API, with its errors as `ShieldError`s.

Only doors use it: the store of rollouts and the cluster of model servers. It speaks REST directly,
because objects here are plain data and what matters are the verbs: server-side apply, writes fenced
by `resourceVersion`, watches that end by themselves.
"""

import json
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from shield.errors import (
    Conflict,
    Forbidden,
    Invalid,
    Misconfigured,
    NotFound,
    ShieldError,
    Unauthenticated,
    Unavailable,
)

Object = dict[str, Any]
"""A Kubernetes object as JSON gives it."""

_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_PATIENCE_SECONDS = 6.0
"""How long a call waits. What a broken network has swallowed is asked again after it, so it bounds
how soon an operator is back; it is shorter than the Lease, which a slower server would cost anyway.
"""


class WatchExpired(Exception):
    """The API server no longer knows the version that a watch starts from: list again."""


class Kube:
    """A connection to one API server. Safe to share between threads.

    Args:
        client: With the server's address, trust and credentials.
        namespace: Of everything that is not named otherwise.
        token: Returns the bearer token as it is now, or None; tokens in a pod change every hour.
    """

    def __init__(
        self,
        client: httpx.Client,
        namespace: str,
        token: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._client = client
        self._token = token
        self.namespace = namespace
        self.calls: dict[str, int] = {}
        """How many calls were made, by verb; for metrics."""

    @classmethod
    def connect(cls, namespace: str | None = None) -> "Kube":
        """Connect as the pod's ServiceAccount, or else as the current kubeconfig context says.

        Raises:
            Misconfigured: There is neither.
        """
        # Imported here: it takes half a second, and only clusters need it.
        from kubernetes import client as k8s
        from kubernetes import config

        configuration = k8s.Configuration()
        try:
            if os.environ.get("KUBERNETES_SERVICE_HOST"):
                config.load_incluster_config(configuration)
                own = _NAMESPACE_FILE.read_text().strip()
            else:
                # The library reads the variable once, when it is imported; a user may set it later.
                file = os.environ.get("KUBECONFIG")
                config.load_kube_config(file, client_configuration=configuration)
                _, current = config.list_kube_config_contexts(file)
                own = current["context"].get("namespace", "default")
        except (config.ConfigException, OSError) as error:
            raise Misconfigured(
                f"No Kubernetes cluster is configured ({error}). Set `KUBECONFIG`, or run inside a "
                "pod with a ServiceAccount."
            ) from error
        return cls(_http(configuration), namespace or own, lambda: _bearer(configuration))

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Object:
        """Return an object or a list. Raises as `call`."""
        return self.call("GET", path, params=params)

    def create(self, path: str, body: Object) -> Object:
        """Create an object. Raises as `call`; `Conflict` when it exists."""
        return self.call("POST", path, body=body)

    def replace(self, path: str, body: Object) -> Object:
        """Replace an object; `Conflict` when its `resourceVersion` is not the present one."""
        return self.call("PUT", path, body=body)

    def merge(self, path: str, body: Object, manager: str) -> Object:
        """Change some fields by a merge patch; `Conflict` when `body` names another version."""
        return self.call(
            "PATCH",
            path,
            body=body,
            params={"fieldManager": manager},
            content_type="application/merge-patch+json",
        )

    def apply(self, path: str, body: Object, manager: str) -> Object:
        """Apply an object on the server's side, as the only owner of the fields in `body`."""
        return self.call(
            "PATCH",
            path,
            body=body,
            params={"fieldManager": manager, "force": "true"},
            content_type="application/apply-patch+yaml",
        )

    def delete(self, path: str, seen: Object | None = None) -> None:
        """Remove an object, and what it owns, in the background; a missing one is no error.

        Args:
            path: Of the object.
            seen: The object as it was read; if it has changed since, it stays.

        Raises:
            Conflict: It is no longer as it was `seen`.
        """
        options: Object = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
        }
        if seen is not None:
            metadata = seen["metadata"]
            options["preconditions"] = {
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
            }
        try:
            self.call("DELETE", path, body=options)
        except NotFound:
            return

    def call(
        self,
        verb: str,
        path: str,
        *,
        body: Object | None = None,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        """Make one call and return the answer.

        Raises:
            NotFound: There is no such object.
            Conflict: It has changed since it was read, or it exists already.
            Invalid: The API server refuses the object; its words are in the message.
            Forbidden: The ServiceAccount lacks a right.
            Unavailable: The API server does not answer.
        """
        self.calls[verb] = self.calls.get(verb, 0) + 1
        try:
            answer = self._client.request(
                verb,
                path,
                content=None if body is None else json.dumps(body),
                params=params,
                headers=self._headers(content_type),
            )
        except httpx.HTTPError as error:
            raise _away(error) from error
        if answer.is_success:
            answered: Object = answer.json()
            return answered
        raise _refusal(verb, path, answer.status_code, answer.text)

    def watch(
        self, path: str, resource_version: str, *, idle_seconds: float
    ) -> Iterator[tuple[str, Object]]:
        """Yield (`ADDED` | `MODIFIED` | `DELETED`, object) until nothing comes for `idle_seconds`.

        Raises:
            WatchExpired: List again and start from there.
            Unavailable: The API server does not answer.
        """
        self.calls["WATCH"] = self.calls.get("WATCH", 0) + 1
        params = {"watch": "true", "resourceVersion": resource_version}
        patience = httpx.Timeout(_PATIENCE_SECONDS, read=max(idle_seconds, 0.001))
        try:
            with self._client.stream(
                "GET", path, params=params, headers=self._headers(), timeout=patience
            ) as answer:
                if answer.status_code == httpx.codes.GONE:
                    raise WatchExpired
                if not answer.is_success:
                    answer.read()
                    raise _refusal("WATCH", path, answer.status_code, answer.text)
                for line in answer.iter_lines():
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise WatchExpired
                    yield event["type"], event["object"]
        except httpx.ReadTimeout:
            return
        except httpx.HTTPError as error:
            raise _away(error) from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _headers(self, content_type: str = "application/json") -> dict[str, str]:
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        token = self._token()
        if token:
            headers["Authorization"] = token
        return headers


def _http(found: Any) -> httpx.Client:
    context = ssl.create_default_context(cafile=found.ssl_ca_cert)
    if not found.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if found.cert_file:
        context.load_cert_chain(found.cert_file, found.key_file)
    return httpx.Client(
        base_url=found.host,
        verify=context,
        proxy=found.proxy,
        trust_env=False,  # a cluster is reached as its configuration says
        timeout=httpx.Timeout(_PATIENCE_SECONDS),
        limits=httpx.Limits(max_connections=64, max_keepalive_connections=32),
    )


def _bearer(found: Any) -> str | None:
    token: str | None = found.get_api_key_with_prefix("authorization")
    return token


def _away(error: httpx.HTTPError) -> Unavailable:
    return Unavailable(
        f"The Kubernetes API server does not answer ({type(error).__name__}: {error}). "
        "Try again; the last decision stays in force.",
        retry_after_seconds=1,
    )


def _refusal(verb: str, path: str, status: int, text: str) -> ShieldError:
    try:
        said = str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        said = text[:500] or f"HTTP {status}"
    where = f"{verb} {path}"
    if status == httpx.codes.NOT_FOUND:
        return NotFound(f"Kubernetes has no such object: {said}.")
    if status == httpx.codes.CONFLICT:
        return Conflict(f"Kubernetes: {said}.")
    if status == httpx.codes.UNAUTHORIZED:
        return Unauthenticated(
            f"The API server does not know this token ({where}). Check the ServiceAccount."
        )
    if status == httpx.codes.FORBIDDEN:
        return Forbidden(f"{said}. Grant it in the Role of this ServiceAccount ({where}).")
    if status in (httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY):
        return Invalid(f"Kubernetes refuses the object: {said}")
    return Unavailable(f"The API server failed ({where}): {said}.", retry_after_seconds=1)
