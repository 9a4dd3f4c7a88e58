"""Plays the story of docs/rollouts.md on a real API server: `python -m bench.rollout.story`.

It prints what `kubectl get mro -w` says, with what was done in between, and writes it into the page
when it is told to (`--write`). kwok plays the pods.
"""

import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bench.ending import end_in_order
from shield.crds.v1alpha1 import ModelRollout, Step
from shield.rollouts.kubernetes import KubernetesRolloutStore
from tests.support.controlplane import control_plane
from tests.support.controlplane.fixtures import CRD
from tests.support.operators import Ward, operating
from tests.support.rollouts import version

STEPS = [
    Step(weight=10, duration_seconds=2, minimum_exposures=0),
    Step(weight=50, duration_seconds=2, minimum_exposures=0),
]


PAGE = Path(__file__).parents[2] / "docs/rollouts.md"
_BLOCK = re.compile(r"(?<=<!-- story -->\n```\n).*?(?=```\n<!-- end -->)", re.DOTALL)

said_so_far: list[str] = []


def say(line: str) -> None:
    """Print a line, and keep it."""
    said_so_far.append(line)
    print(line, flush=True)


def tell(what: str) -> None:
    """Say what is done next."""
    time.sleep(1.0)  # let the watch catch up, so that the lines stand in order
    say(f"# {what}")


def follow(place: Ward) -> "subprocess.Popen[str]":
    """Print the lines of `kubectl get mro -w`, each once."""
    command = [str(place.plane.kubectl), f"--kubeconfig={place.plane.kubeconfig}"]
    watching = subprocess.Popen(
        [*command, "-n", place.namespace, "get", "mro", "-w"], stdout=subprocess.PIPE, text=True
    )

    def show() -> None:
        last = ""
        assert watching.stdout is not None
        for line in watching.stdout:
            said = " ".join(line.split()[:-1])  # without the age
            if said != last:
                say(line.rstrip())
            last = said

    threading.Thread(target=show, daemon=True).start()
    return watching


def stable(name: str) -> Callable[[ModelRollout], bool]:
    """Return the question whether `name` serves."""
    return lambda it: it.status.stable is not None and it.status.stable.name == name


def patch(place: Ward, **spec: object) -> None:
    """Do as a person with kubectl would."""
    place.kubectl("patch", "mro", "sms", "--type=merge", "-p", json.dumps({"spec": spec}))


def release(place: Ward, name: str) -> None:
    """Ask for a version and wait until it serves."""
    tell(f"{name} is asked for")
    patch(place, version=version(name).model_dump())
    place.until(stable(name))


def sabotage(place: Ward, name: str) -> None:
    """Let the servers of a version refuse their package, as a bad signature makes them."""
    digest = version(name).digest.removeprefix("sha256:")[:40]
    pod = place.plane.get("pods", "-n", place.namespace, "-l", f"antispamshield.io/digest={digest}")
    for one in pod["items"]:
        end = {"exitCode": 65, "message": "The package is not signed.", "reason": "Error"}
        now = "2026-01-01T00:00:00Z"
        state = {
            "name": "model-server",
            "image": "antispam-shield-serving:test",
            "imageID": "",
            "ready": False,
            "restartCount": 1,
            "state": {"terminated": {**end, "startedAt": now, "finishedAt": now}},
        }
        place.kubectl(
            *(
                "patch",
                "pod",
                one["metadata"]["name"],
                "--subresource=status",
                "--type=merge",
                "-p",
            ),
            json.dumps({"status": {"containerStatuses": [state]}}),
        )


def play(place: Ward) -> None:
    """Tell the story."""
    with operating(place):
        watching = follow(place)
        tell("create: sms-v1")
        place.ask(version=version("sms-v1"), steps=STEPS, guard_seconds=600.0)
        place.until(stable("sms-v1"))
        release(place, "sms-v2")
        release(place, "sms-v3")
        tell("sabotage: the servers of sms-v3 now refuse its package; it returns by itself")
        sabotage(place, "sms-v3")
        place.until(stable("sms-v2"))
        tell("pause, then sms-v4 is asked for: it is brought up and meets nobody")
        patch(place, paused=True, version=version("sms-v4").model_dump())
        place.until(lambda it: it.status.phase.value == "Paused")
        tell("resume: sms-v4 goes through its steps")
        patch(place, paused=False)
        place.until(stable("sms-v4"))
        tell("undo: somebody finds fault with sms-v4")
        patch(place, undo="1", undoReason="It flags my bank.")
        place.until(stable("sms-v2"))
        tell("undo again: further back, never forward")
        patch(place, undo="2", undoReason="This one too.")
        place.until(stable("sms-v1"))
        time.sleep(1.5)
        watching.terminate()
        tell("asking for a version that was taken back")
        asked = {"spec": {"version": version("sms-v2").model_dump()}}
        patch(place, version=version("sms-v1").model_dump())
        said = place.kubectl(
            *("patch", "mro", "sms", "--type=merge", "-p", json.dumps(asked)), check=False
        )
        say(said.strip())
        tell("kubectl get events")
        columns = "custom-columns=TYPE:.type,REASON:.reason,MESSAGE:.message"
        say(
            place.kubectl(
                "get",
                "events",
                "--field-selector=involvedObject.kind=ModelRollout",
                "-o",
                columns,
                "--sort-by=.metadata.creationTimestamp",
            ).strip()
        )
    tell("uninstall, with the operator gone already")
    say(place.kubectl("delete", "mro", "sms", "--timeout=20s").strip())
    tell("what is left of it: kubectl get mro,deployments,services,pods -o name | wc -l")
    deadline = time.monotonic() + 60
    while left := place.kubectl("get", "mro,deployments,services,pods", "-o", "name").split():
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
    say(str(len(left)))


def main() -> int:
    """Run the story on a control plane of its own."""
    with tempfile.TemporaryDirectory(prefix="shield-story-") as name:
        folder = Path(name)
        with control_plane(folder / "plane") as plane:
            plane.run("apply", "--server-side", "-f", str(CRD))
            plane.run("wait", "--for=condition=Established", "crd/modelrollouts.antispamshield.io")
            plane.run("create", "namespace", "shield")
            kube = plane.connect("shield")
            play(Ward(plane, "shield", folder, KubernetesRolloutStore(kube)))
            kube.close()
    if "--write" in sys.argv[1:]:
        text = "\n".join(said_so_far) + "\n"
        page, found = _BLOCK.subn(lambda _: text, PAGE.read_text())
        assert found == 1, f"{PAGE} has no place for the story"
        PAGE.write_text(page)
    return 0


if __name__ == "__main__":
    end_in_order()
    sys.exit(main())
