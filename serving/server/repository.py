"""The versions in this process: load, warm up, switch, drain, unload.

A switch changes one reference on the event loop, so that every request is served by one version.
The previous version stays loaded, so that switching back is immediate.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from serving.server.breaker import Breaker, Fault
from serving.server.metrics import Metrics
from serving.server.model import ServedModel, load_model
from serving.server.settings import ServerSettings
from shield.artifacts.opening import open_store
from shield.errors import Conflict, Invalid, NotFound, PackageInvalid, Unavailable
from shield.packages import ModelPackage, PackageSettings, Trust, pull
from shield.packages.manifest import MANIFEST
from shield.packages.served import Precision, files_served


@dataclass(frozen=True, slots=True)
class VersionSource:
    """Where a version to load comes from."""

    package: str
    """A directory, or the prefix of the package in the artifact store."""
    version: str
    arm: str = "stable"
    digest: str | None = None
    """Expected digest; required for a package in the artifact store."""


def fetch_package(source: VersionSource, precision: Precision, cache_dir: Path) -> ModelPackage:
    """Return the verified package from a directory, or download it from the artifact store.

    Downloads and verifies only the files needed for serving. Blocks.

    Raises:
        Unusable: The package is corrupt, unsigned, untrusted or invalid; never serve it.
        Misconfigured: There are no trusted keys.
        Invalid: The digest is missing for a package in the store.
        NotFound: The store has no such package.
        Unavailable: The store does not answer.
    """
    trust = Trust.from_directory(PackageSettings().require_trusted_keys())
    files = partial(files_served, precision=precision)
    directory = Path(source.package)
    if (directory / MANIFEST).exists() or directory.is_dir():
        return ModelPackage.open(directory).verify(trust, digest=source.digest, files=files)
    if source.digest is None:
        raise Invalid(
            f"{source.package} is not a directory, so it is looked for in the artifact store, and "
            "that needs --digest: it says which bytes are meant."
        )
    return pull(open_store(), source.package, source.digest, cache_dir, trust, files=files)


@dataclass
class Repository:
    """The loaded versions, and which of them serves."""

    model_type: str
    settings: ServerSettings
    metrics: Metrics
    log: Callable[..., None]
    versions: dict[str, ServedModel] = field(default_factory=dict)
    active: ServedModel | None = None
    previous: ServedModel | None = None

    def __post_init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loading = asyncio.Lock()

    def serving(self, name: str, version: str | None = None) -> ServedModel:
        """Return the serving version.

        Raises:
            NotFound: This process serves another model, or has not loaded this version.
            Unavailable: The model is still loading.
        """
        if name != self.model_type:
            raise NotFound(
                f"There is no model {name!r} here. This server serves {self.model_type!r}; "
                "`GET /v2/repository/index` lists its versions."
            )
        if version is not None:
            model = self.versions.get(version)
            if model is None:
                known = ", ".join(sorted(self.versions)) or "none"
                raise NotFound(
                    f"There is no version {version!r} of {name!r} here; loaded are: {known}. "
                    "`GET /v2/repository/index` lists them."
                )
            return model
        if self.active is None:
            raise Unavailable(
                "The model server is still loading its model. Try again in a second.",
                retry_after_seconds=1,
            )
        return self.active

    async def load(self, source: VersionSource) -> ServedModel:
        """Load and warm up a version beside the serving one, then switch to it.

        Switches at once if the version is loaded already. Raises as `fetch_package`.
        """
        started = time.perf_counter()
        loaded = self._loaded(source)
        model = loaded or await self._load_beside(source)
        self._switch(model, started, "cold" if loaded is None else "warm")
        return model

    async def unload(self, version: str) -> None:
        """Unload a version that is not serving, after its last request.

        Raises:
            NotFound: The version is not loaded.
            Conflict: The version is serving.
        """
        model = self.serving(self.model_type, version)
        if model is self.active:
            raise Conflict(
                f"{version} is the version that answers. Load another one first, then unload it."
            )
        self._release(model)
        while model.in_flight:
            await asyncio.sleep(0.005)

    async def _load_beside(self, source: VersionSource) -> ServedModel:
        async with self._loading:
            # Somebody may have loaded it while this one waited.
            model = self._loaded(source)
            if model is None:
                model = await self._loop.run_in_executor(None, self._load, source)
            self.versions[model.version] = model
            return model

    def _loaded(self, source: VersionSource) -> ServedModel | None:
        model = self.versions.get(source.version)
        if model is not None and source.digest not in {None, model.digest}:
            raise Conflict(
                f"The version {source.version} is loaded with {model.digest[:19]}; a version never "
                "changes. Give the other package another version name."
            )
        return model

    def _load(self, source: VersionSource) -> ServedModel:
        package = fetch_package(source, self.settings.precision, self.settings.cache_dir)
        if package.manifest.model_type != self.model_type:
            raise PackageInvalid(
                f"{source.package} holds a {package.manifest.model_type} model, but this server "
                f"serves {self.model_type}. Give the package of the right model type."
            )
        return load_model(
            package,
            version=source.version,
            arm=source.arm,
            precision=self.settings.precision,
            cache_rows=self.settings.cache_rows,
            cascade=self.settings.cascade,
            breaker=Breaker(on_fault=partial(self._report, source.version)),
        )

    def _report(self, version: str, fault: Fault) -> None:
        self.metrics.faults.labels(version, fault.value).inc()
        self.log("model_fault", version=version, kind=fault.value)

    def _show(self, model: ServedModel) -> None:
        gauge = self.metrics.version.labels(model.version, model.arm, model.digest)
        gauge.set(model is self.active)
        for fault in Fault:  # from 0 on: Prometheus takes no counter's birth at 1 for an increase
            self.metrics.faults.labels(model.version, fault.value)

    def _switch(self, model: ServedModel, started: float, kind: str) -> None:
        before = self.active
        if model is not before:
            older = self.previous
            self.active, self.previous = model, before
            # One warm version to go back to; an older one is freed when its last request is done.
            if older is not None and older not in {model, before}:
                self._release(older)
            for known in self.versions.values():
                self._show(known)
        seconds = time.perf_counter() - started
        self.metrics.switch.labels(kind).observe(seconds)
        self.log(
            "switched",
            version=model.version,
            digest=model.digest,
            kind=kind,
            seconds=round(seconds, 4),
        )

    def _release(self, model: ServedModel) -> None:
        self.versions.pop(model.version, None)
        if self.previous is model:
            self.previous = None
        self.metrics.version.remove(model.version, model.arm, model.digest)
        # Freeing a session takes milliseconds: the last reference goes away on another thread.
        asyncio.ensure_future(self._free_when_drained(model))  # noqa: RUF006 - ends by itself

    async def _free_when_drained(self, model: ServedModel) -> None:
        while model.in_flight:
            await asyncio.sleep(0.01)
        holder = [model]
        del model
        await self._loop.run_in_executor(None, holder.clear)
