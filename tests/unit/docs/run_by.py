"""What people type by these pages -> the test that runs it, or the reason why none does.

A form is matched against the whole command. `test_commands.py` holds the pages against this.
"""

NOT_RUN = "not run"
Form = tuple[str, str, str]
"""A pattern, the file of the test, and what shows there that it is run; or NOT_RUN and why."""

ON_A_CLUSTER: list[Form] = [
    (r"kubectl (create|label) namespace .*", "tests/e2e/release.py", "namespace"),
    (r"kubectl .*create secret generic \S+-keys .*", NOT_RUN, "rotates a real key"),
    (r"kubectl .*create secret generic .*", NOT_RUN, "takes passwords of a real database"),
    (r"kubectl .*get secret .*", "tests/e2e/story.py", '"secret"'),
    (r"kubectl .*exec deploy/\S+ -- python -m api.token .*", "tests/e2e/story.py", "api.token"),
    (r"kubectl .*exec deploy/\S+ -- python (-m api.reseal|-c .*)", NOT_RUN, "rotates a real key"),
    (r"kubectl .*port-forward .*", "tests/e2e/cluster.py", '"port-forward"'),
    (r"kubectl .*create job --from=cronjob.*", "tests/e2e/story.py", "--from=cronjob"),
    (r"kubectl apply --server-side -k .*", "tests/cluster/test_manifests.py", '"apply"'),
    (r"kubectl patch mro sms --type merge .*", "tests/cluster/test_operator.py", '"patch", "mro"'),
    (r"kubectl .*auth can-i .*", NOT_RUN, "asks a real Kubeflow"),
    (r"kubectl .*(get profile|-n kubeflow get) .*", NOT_RUN, "asks a real Kubeflow"),
    (r"kubectl .*create token .*", NOT_RUN, "needs a Kubeflow"),
    (r"kubectl .*rollout restart deployment\S*", NOT_RUN, "kubectl's own"),
    (r"kubectl .*delete modelrollouts --all", NOT_RUN, "kubectl's own"),
    (r"kubectl .*replace --force.*", NOT_RUN, "kubectl's own"),
    (r"kubectl (-n \S+ )?(get|describe|logs)( .*)?", NOT_RUN, "only looks"),
    (r"kubectl( apply| explain)?", NOT_RUN, "the program's name"),
    (r"helm install .*", "tests/e2e/release.py", ".helm("),
    (r"helm upgrade .*", "tests/cluster/test_chart.py", "upgrade"),
    (r"helm test .*", "tests/e2e/release.py", 'helm("test"'),
    (r"helm uninstall .*", "tests/e2e/release.py", 'helm("uninstall"'),
    (r"helm rollback .*", NOT_RUN, "Helm's own; the chart keeps the schema"),
    (r"helm( install| upgrade| test)?", NOT_RUN, "the program's name"),
    (r"curl .*ml-pipeline.*", NOT_RUN, "needs a Kubeflow"),
    (r"curl /readyz", "tests/integration/api/test_health.py", "/readyz"),
    (r"pg_dump .*", NOT_RUN, "PostgreSQL's own"),
]

ON_A_LAPTOP: list[Form] = [
    (r"make demo( \w+=\S+)*", "tests/journeys/test_demo.py", '"demo"'),
    (r"make up( \w+=\S+)*", "tests/support/system.py", '"up"'),
    (r"make (test|setup|lint)?", NOT_RUN, "what runs the tests, or stands before them"),
    (r"make", NOT_RUN, "the program's name"),
    (
        r"make component( NAME=\S+)?",
        "tests/unit/components/test_new_component.py",
        "components.new_component",
    ),
    (r"make graphs( manifests)?", "tests/unit/pipelines/test_compiled.py", "pipelines.compile"),
    (r"make crds", "tests/unit/crds/test_generated.py", "shield.crds.generate"),
    (r"make manifests", "tests/cluster/test_manifests.py", '"manifests.generate"'),
    (r"make types", "tests/unit/pages/test_showing.py", "api.pages.scan_types"),
    (r"make clients", "tests/support/client_package.py", "clients.build"),
    (r"make (docs|generate)", NOT_RUN, "a picture is looked at; the other parts are run above"),
    (r"make e2e(-clean)?", NOT_RUN, "runs for half an hour, as root, on a machine of its own"),
    (r"make (bench|soak|story)\S*( ARGS=.*)?", NOT_RUN, "measures for minutes or hours"),
    (r"python -m bench\.pages", "tests/unit/bench/test_result_pages.py", "pages.render"),
    (r"python -m bench\.\w+", NOT_RUN, "measures for minutes or hours"),
    (r"python -m shield\.book( LANG)?", "tests/unit/book/test_book.py", "shield.book.__main__"),
    (r"python -m clients\.jvm", "tests/integration/clients/test_kotlin.py", "jvm"),
    (r"python -m components\.prepare_corpus\.mails", NOT_RUN, "fetches 20 MB"),
    (
        r"(\.venv/bin/)?python -m components\.build_dataset .*",
        "components/build_dataset/test_build_dataset.py",
        "build_dataset.__main__",
    ),
    (r"python -m serving\.server .*", "tests/support/model_server.py", '"serving.server"'),
    (r"python -m api\.migrate", "tests/integration/api/test_migrations.py", "api.migrate import"),
    (r"python -m api\.reseal", "tests/integration/api/test_maintenance.py", "reseal(services)"),
    (r"python -m pipelines\.base --help", "tests/e2e/story.py", '"pipelines.base"'),
    (r"python -m tests\.support\.judge FOLDER", "tests/unit/device/test_judge.py", "on_phone"),
    (r"(\.venv/bin/)?pytest( \S+)?( -k \S+)?", NOT_RUN, "runs tests"),
    (r"git clone", NOT_RUN, "git's own"),
    (r"torchrun( .*)?", "components/train/test_spread.py", '"torch.distributed.run"'),
    (r"mlflow server .*", "tests/support/mlflow/__init__.py", "serve.py"),
]

SHIELDCTL: dict[str, tuple[str, str]] = {
    "corpus fetch": (NOT_RUN, "fetches 20 MB; what it reads is tested where they are there"),
    "pipeline deploy": ("tests/integration/pipelines/test_deploy.py", 'shieldctl(capsys, "deploy"'),
    "pipeline deployed": (
        "tests/integration/pipelines/test_deploy.py",
        'shieldctl(capsys, "deployed"',
    ),
    "pipeline undeploy": (
        "tests/integration/pipelines/test_deploy.py",
        'shieldctl(capsys, "undeploy"',
    ),
    "pipeline drift": (NOT_RUN, "needs a trained champion; test_drift_run.py runs what it starts"),
}
"""Commands that no test names word by word in its code."""
