"""The chart's test: a scan, a feedback on it, and the undo of a rollout, as its users do them."""

import os
import time
import uuid
from pathlib import Path

import httpx
import jwt

from shield.labels import MODEL_TYPES, ModelType, is_scam

url = os.environ["SHIELD_API_URL"]
secret = Path(os.environ["SHIELD_API_JWT_SECRET_FILE"]).read_text().strip()
model_type = os.environ["MODEL_TYPES"].split(",")[0]
scan_type = MODEL_TYPES[ModelType(model_type)].scan_type.value


def call(role: str, method: str, path: str, body: dict[str, str] | None = None) -> httpx.Response:
    """Call the API as a user of `role`, with a token of one minute."""
    claims = {
        "sub": "helm-test",
        "roles": [role],
        "iss": "antispam-shield",
        "aud": "antispam-shield",
        "exp": int(time.time()) + 60,
    }
    token = jwt.encode(claims, secret, algorithm="HS256")
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())}
    return httpx.request(method, f"{url}{path}", json=body, headers=headers, timeout=30)


def data(answer: httpx.Response) -> dict[str, object]:
    """Return the content of a good answer."""
    answer.raise_for_status()
    return dict(answer.json()["data"])


ready = httpx.get(f"{url}/readyz", timeout=30)
ready.raise_for_status()
print("The API is ready.", flush=True)

rollout = call("admin", "GET", f"/api/v2/rollouts/{model_type}")
if rollout.status_code == 404 or not rollout.json()["data"]["status"]["stable"]:
    print(
        f"No {model_type} version is served yet, so no scan can be judged. "
        f"Run the pipeline once, then test again.",
        flush=True,
    )
    raise SystemExit(0)

message = {"scanType": scan_type, "text": "You have won! Call now."}
scan = data(call("user", "POST", "/api/v2/scans", message))
print(f"Scanned: {scan['verdict']} by {scan['modelVersion']} ({scan['arm']}).", flush=True)

claim = "false_positive" if is_scam(str(scan["verdict"])) else "false_negative"
correction = {"scanId": str(scan["id"]), "feedbackType": claim}
feedback = data(call("user", "POST", "/api/v2/feedback", correction))
print(f"Feedback taken: {feedback['id']}.", flush=True)

if os.environ["UNDO"] != "true":
    print("No undo was asked for (helmTest.undo).", flush=True)
    raise SystemExit(0)

undo = call("admin", "POST", f"/api/v2/rollouts/{model_type}/undo", {"reason": "helm test"})
if undo.status_code == 409:
    print("Nothing to undo: there is no earlier good version.", flush=True)
else:
    undo.raise_for_status()
    print("Undo was asked for.", flush=True)
