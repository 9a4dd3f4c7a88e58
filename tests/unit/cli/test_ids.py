"""Each argument of `shieldctl` that is an id says so; `tests/integration/cli` calls it.

A new argument of text belongs to one of both: it names the kind of its id, or it is listed here.
"""

from tests.support.cli_ids import id_arguments, text_arguments

NO_IDS = {
    "audit verify --head": "a hash that the log must hold: a part of it would prove less",
    "corpus add --date-format": "",
    "corpus add --delimiter": "",
    "corpus add --encoding": "",
    "corpus add --label": "",
    "corpus add --map": "",
    "corpus add --text": "",
    "corpus remove part": "a name of `corpus list`",
    "corpus show --language": "",
    "corpus show --part": "a name of `corpus list`",
    "corpus show name": "a tactic of the book or a model type",
    "contest answer text": "",
    "feedback send --comment": "",
    "feedback send --label": "",
    "known import --key": "a whole public key: part of one proves nothing",
    "known import --name": "given by whoever types it",
    "known subscribe --key": "a whole public key: part of one proves nothing",
    "known subscribe --name": "given by whoever types it",
    "known subscribe url": "",
    "known undo --reason": "",
    "lineage --withdraw": "a reason",
    "model reinstate --reason": "",
    "model taint --reason": "",
    "pipeline deploy --cron": "",
    "pipeline deploy --host": "",
    "pipeline deploy --namespace": "a name of Kubernetes",
    "pipeline deploy --release": "a name of Helm",
    "pipeline deployed --host": "",
    "pipeline deployed --namespace": "a name of Kubernetes",
    "pipeline deployed --release": "a name of Helm",
    "pipeline run --run-id": "the id that the run is to have, new or not",
    "pipeline run --set": "",
    "pipeline undeploy --host": "",
    "pipeline undeploy --namespace": "a name of Kubernetes",
    "pipeline undeploy --release": "a name of Helm",
    "review approve --notes": "",
    "review approve --reason": "",
    "review harmless --notes": "",
    "review harmless --reason": "",
    "review reject --notes": "",
    "review reject --reason": "",
    "review scam --notes": "",
    "review scam --reason": "",
    "review scam --tactic": "a name in the book",
    "review undo --reason": "",
    "rollout abort --reason": "",
    "rollout pause --reason": "",
    "rollout promote --reason": "",
    "rollout resume --reason": "",
    "rollout set --reason": "",
    "rollout set --step": "",
    "rollout start --reason": "",
    "rollout start --step": "",
    "rollout undo --reason": "",
    "scan text": "",
    "token create --role": "",
    "token create --subject": "a name that whoever types it gives or knows",
    "token invite subject": "a name that is new",
    "up --drift-schedule": "",
    "up --host": "",
    "up --schedule": "",
    "webhook add --event": "a kind of event",
    "webhook add url": "",
}
"""Command and argument -> why its text is no id; empty where the name says it."""


def test_every_argument_of_text_is_an_id_or_known_to_be_none() -> None:
    ids = set(id_arguments())
    assert not ids & NO_IDS.keys()
    assert text_arguments() - ids == NO_IDS.keys(), (
        "Name the kind of its id, as cli/ids.py says, or list here why it is none."
    )
