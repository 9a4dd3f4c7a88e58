"""Settings of a pipeline step, from its environment, and the clients that they open."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic_settings import SettingsConfigDict

from shield.artifacts import ArtifactStore
from shield.artifacts.opening import open_store
from shield.environment import CommaList, Settings, read_secret
from shield.errors import Misconfigured
from shield.packages import PackageSettings, Trust

if TYPE_CHECKING:
    from shield.client import ShieldClient

# Read when torch is loaded. A thread that spins while it waits for the others takes their core:
# on a machine that also serves, a training step took eighteen times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

Precision = Literal["auto", "bfloat16", "float32"]
"""Number format of a training; `auto`: bfloat16 where the hardware has it, else float32."""


class StepSettings(Settings):
    """How a pipeline step reaches the rest of the system."""

    model_config = SettingsConfigDict(env_prefix="SHIELD_", use_attribute_docstrings=True)

    api_url: str | None = None
    """Base URL of the API, e.g. `http://127.0.0.1:8000`."""

    api_token: str | None = None
    """Token with the role `pipeline`."""

    api_token_file: Path | None = None
    """A file that holds the token; read anew by every step, so that a rotated token is picked
    up."""

    api_timeout_seconds: float = 60.0
    """One request longer than this has failed. Sealing a batch of a million rows takes a while."""

    package_cache_dir: Path = Path.home() / ".cache/antispam-shield/packages"
    """Packages that were pulled and verified once are kept here, by digest."""

    checkpoint_dir: Path | None = None
    """Where `train` keeps its checkpoints. Unset: beside its output, lost with the container."""

    checkpoint_seconds: float = 15.0
    """Time between two checkpoints of a training."""

    base_model: Path = Path("multilingual")
    """What a first training starts from: `multilingual` (six layers of multilingual-e5-small, which
    reads ten languages), `minilm` (MiniLM-L6, which reads English), a directory of a Hugging Face
    encoder with `config.json`, `model.safetensors` and `tokenizer.json`, or `store:PREFIX`, where
    these three lie in the artifact store (a prefix stands for one encoder for ever: it is fetched
    once)."""

    corpora_dir: Path = Path.home() / ".cache/antispam-shield/corpora"
    """Directory of corpora that were fetched at set-up, as no Python package brings them."""

    book_languages: CommaList | None = None
    """Languages of the book of scams that teach a first model, with commas between; nothing: none.
    Unset: all of them where the base model is `multilingual`, else English."""

    engine: str = "local"
    """What runs the steps; shown with the run."""

    code_version: str = "development"
    """Digest of the image, or commit of the code, that trains. Kept with every version."""

    threads: int = 2
    """Processor threads of `train`. Part of the recipe: sums come out differently in another
    number of threads, and with them the digest of the model."""

    precision: Precision = "auto"
    """Number format of the matrix products in `train`. `float32` gives the same digest on
    processors with and without bfloat16."""


class TrackingSettings(Settings):
    """Where versions are mirrored to, if anywhere; the names are MLflow's own."""

    model_config = SettingsConfigDict(env_prefix="MLFLOW_", use_attribute_docstrings=True)

    tracking_uri: str | None = None
    """URL of an MLflow tracking server that serves artifacts. Each registered version is mirrored
    there as a run: figures, recipe, report, package. A mirror that fails fails no run."""

    tracking_token: str | None = None
    """Bearer token for it."""

    tracking_username: str | None = None
    """Name for it, where it wants a password."""

    tracking_password: str | None = None
    """Password for it."""

    tracking_timeout_seconds: float = 30.0
    """One request longer than this has failed."""

    experiment_name: str = "antispam-shield"
    """Experiment that the runs belong to; made where there is none."""


class ModelRegistrySettings(Settings):
    """Kubeflow's model registry, where versions are mirrored to, if anywhere."""

    model_config = SettingsConfigDict(
        env_prefix="SHIELD_MODEL_REGISTRY_", use_attribute_docstrings=True
    )

    url: str | None = None
    """Base URL of a Kubeflow model registry, e.g.
    `http://model-registry-service.kubeflow.svc.cluster.local:8080`. Each registered version is
    mirrored there: figures, lineage, and where its package lies. A mirror that fails fails no run.
    """

    token: str | None = None
    """Bearer token for it."""

    token_file: Path | None = None
    """A file that holds the token; read anew by every step."""

    timeout_seconds: float = 30.0
    """One request longer than this has failed."""

    name: str = "antispam-shield"
    """How the registered models' names begin; the model type follows: `antispam-shield-sms`."""


def open_client(settings: StepSettings | None = None) -> "ShieldClient":
    """Return a client of the API as the environment names it.

    Raises:
        Misconfigured: No URL, or a token file that cannot be read.
    """
    from shield.client import ShieldClient  # steps that ask nothing of the API do without it

    settings = settings or StepSettings()
    if settings.api_url is None:
        raise Misconfigured(
            "SHIELD_API_URL is not set, so the step cannot reach the API. Set it to the API's base "
            "URL, e.g. http://127.0.0.1:8000."
        )
    token = settings.api_token
    if token is None and settings.api_token_file is not None:
        token = read_secret(settings.api_token_file, "SHIELD_API_TOKEN_FILE")
    return ShieldClient(settings.api_url, token, timeout_seconds=settings.api_timeout_seconds)


def open_artifacts() -> ArtifactStore:
    """Return the artifact store that the environment names."""
    return open_store()


def open_trust() -> Trust:
    """Return the keys whose signatures count."""
    return Trust.from_directory(PackageSettings().require_trusted_keys())


def end_with_runner(poll_seconds: float = 0.5) -> None:
    """End this process when the local runner that started it is gone.

    A killed runner cannot stop its step. Left alone, the orphan would go on training beside the run
    that takes its place. On a cluster SHIELD_RUNNER_PID is not set and nothing happens.
    """
    runner = os.environ.get("SHIELD_RUNNER_PID")
    if runner is None:
        return
    pid = int(runner)

    def watch() -> None:
        while True:
            try:
                os.kill(pid, 0)
                # A killed runner that nobody has waited for is still in the process table.
                if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                    break
            except (ProcessLookupError, FileNotFoundError):
                break
            time.sleep(poll_seconds)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="end-with-runner", daemon=True).start()
