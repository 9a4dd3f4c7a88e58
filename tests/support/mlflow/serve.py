"""Serve MLflow's own tracking application on a free port: `serve.py FOLDER`; prints the URL."""

import os
import sys
from pathlib import Path

folder = Path(sys.argv[1])
database = f"sqlite:///{folder}/mlflow.db"
os.environ.update(
    _MLFLOW_SERVER_FILE_STORE=database,
    _MLFLOW_SERVER_ARTIFACT_ROOT="mlflow-artifacts:/",
    _MLFLOW_SERVER_ARTIFACT_DESTINATION=str(folder / "artifacts"),
    _MLFLOW_SERVER_SERVE_ARTIFACTS="true",
)

from mlflow.server import app  # noqa: E402  # reads the environment
from mlflow.server.handlers import initialize_backend_stores  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

initialize_backend_stores(database, database, "mlflow-artifacts:/")
server = make_server("127.0.0.1", 0, app, threaded=True)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
