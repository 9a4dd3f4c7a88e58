"""A model server's manners without a model: a ready file, a port, `/predict`, and ways to
misbehave.

`python tiny_server.py VERSION MODE --ready-file F`; MODE is one of `good`, `refused`, `crash` (at
start), `once` (crashes at its first start only), `away` (finds the artifact store away at its
first three starts), `slow` (ready after a second).
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Answer(BaseHTTPRequestHandler):
    version = ""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps({"modelVersion": self.version, "predictions": []}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


def main() -> None:
    version, mode = sys.argv[1:3]
    ready_file = Path(sys.argv[sys.argv.index("--ready-file") + 1])
    if mode == "refused":
        sys.stderr.write(f"starting\nThe package of {version} is not signed.\n")
        sys.exit(65)
    if mode == "crash":
        sys.exit(1)
    if mode == "once":
        marker = ready_file.parent / f"{version}.crashed"
        if not marker.exists():
            marker.touch()
            sys.exit(1)
    if mode == "away":
        tries = ready_file.parent / f"{version}.tries"
        count = len(tries.read_text()) if tries.exists() else 0
        tries.write_text("." * (count + 1))
        if count < 3:
            sys.stderr.write("The artifact store does not answer.\n")
            sys.exit(69)
    if mode == "slow":
        time.sleep(1)
    _Answer.version = version
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    ready_file.write_text(json.dumps({"port": server.server_port}))
    server.serve_forever()


if __name__ == "__main__":
    main()
