"""The npm package in Node: what it throws, and what its outbox does with each answer."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.pages.build import node_folder
from shield.labels import ScanType
from shield.packages import push
from shield.reasons import Reader, explain
from shield.wire import ReviewAction
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, model_server
from tests.support.client_package import unpacked_client
from tests.support.client_rules import (
    FULL,
    FULL_ROUNDS,
    FULL_SENT,
    MIXED,
    MIXED_ROUNDS,
    MIXED_SENT,
    RULES,
    STUBBORN,
    STUBBORN_ROUNDS,
    STUBBORN_SENT,
    counting_story,
    scripted,
)
from tests.support.judge import make_stable, version_with_judge, write_vectors

pytestmark = pytest.mark.xdist_group("client-package")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked_client(tmp_path_factory.mktemp("package"))


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    with (
        model_server() as arm,
        running_api(tmp_path, prepare=lambda services: deploy(services.rollouts, arm)) as running,
    ):
        yield running


def in_node(package: Path, script: str, **given: Any) -> Any:
    """Run a module that sees `given` and the package, `shield`; return what it passes to `say`."""
    code = f"""
      import * as shield from {json.dumps((package / "dist/index.js").as_uri())};
      const {{ {", ".join(given)} }} = {json.dumps(given)};
      const say = (value) => process.stdout.write(JSON.stringify(value));
      {script}
    """
    done = subprocess.run(
        [str(node_folder() / "node"), "--input-type=module", "-e", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_each_answer_has_its_rule(package: Path) -> None:
    found = in_node(
        package,
        """
        say(rules.map(([status, header]) => {
          const wait = shield.retryAfterSeconds(header, 0);
          const error = status === null
            ? new shield.Unreachable("away")
            : new shield.Problem("why", status, "", wait);
          return shield.ruleFor(error, 3, () => 0);
        }));
        """,
        rules=RULES,
    )
    for (status, _, does, held, seconds), rule in zip(RULES, found, strict=True):
        assert (rule["do"], rule.get("held"), rule.get("seconds")) == (does, held, seconds), status


def test_pauses_double_up_to_five_minutes_and_spread(package: Path) -> None:
    pauses = in_node(
        package,
        """
        const tries = [1, 2, 5, 9, 10, 2000];
        say([0, 0.5, 1].map((dice) => tries.map((n) => shield.pauseSeconds(n, () => dice))));
        """,
    )
    assert pauses[2] == [1, 2, 16, 256, 300, 300]
    assert pauses[0] == [0.5, 1, 8, 128, 150, 150]
    assert pauses[0] < pauses[1] < pauses[2]


def test_a_program_scans_and_reports(package: Path, api: RunningApi) -> None:
    said = in_node(
        package,
        """
        const client = new shield.ShieldClient({ baseUrl: url, token: async () => token });
        const scan = await client.scan("text", "Reply now to win a holiday");
        const outbox = new shield.Outbox({ client, storage: new shield.MemoryStorage() });
        await outbox.say(scan, false, "  my own team ");
        const before = await outbox.feedbackOf(scan.id);
        const delivery = await outbox.deliver();
        const { items } = await client.scans({ limit: 5 });
        say({
          standing: shield.standingOf(scan), before, delivery,
          after: await outbox.feedbackOf(scan.id),
          status: items[0].feedback.status, text: items[0].text,
          types: await client.scanTypes(), me: await client.me(),
        });
        """,
        url=api.url + "/",
        token=api.token("ada"),
    )
    assert said["standing"] == "scam"
    assert (said["before"]["state"], said["after"]["state"]) == ("waiting", "sent")
    assert said["delivery"]["sent"] == 1
    assert said["delivery"]["retryAfterSeconds"] is None
    assert (said["status"], said["text"]) == ("pending", "Reply now to win a holiday")
    assert {"scanType": "text", "serves": True} in said["types"]
    assert said["me"]["subject"] == "ada"
    with api.client("rita", "reviewer") as reviewer:
        [item] = reviewer.pending().items
        assert (item.corrected_label, item.comment) == ("ham", "my own team")
        reviewer.review(item.id, ReviewAction.APPROVE)


def test_problems_are_errors_of_their_own(package: Path, api: RunningApi) -> None:
    said = in_node(
        package,
        """
        const told = async (promise) => promise.then(() => "nothing", (error) =>
          [error.name, error.status ?? null, error instanceof shield.Invalid, !!error.message]);
        const client = new shield.ShieldClient({ baseUrl: url, token });
        const scan = await client.scan("text", "Lunch at twelve?");
        const body = { scanId: scan.id, feedbackType: "false_positive" };
        say([
          await told(client.sendFeedback(body, "a-key")),
          await told(client.sendFeedback({ ...body, scanId: "nothing" }, "b-key")),
          await told(new shield.ShieldClient({ baseUrl: url, token: "x" }).me()),
          await told(new shield.ShieldClient({ baseUrl: "http://127.0.0.1:9", token }).me()),
          await told(client.scan("text", "x".repeat(2_000_000))),
          await told(shield.ShieldClient.pair(url, "ABCDE-FGHJK")),
        ]);
        """,
        url=api.url,
        token=api.token("ada"),
    )
    assert [each[:3] for each in said[:5]] == [
        ["ContradictoryFeedback", 422, True],
        ["NotFound", 404, False],
        ["Unauthenticated", 401, False],
        ["Unreachable", None, False],
        ["TooLarge", 413, False],
    ]
    assert all(each[3] for each in said)


def test_one_letter_that_breaks_the_server_holds_up_no_other(package: Path) -> None:
    with scripted(STUBBORN) as (url, sent):
        rounds = in_node(
            package,
            """
            let now = 0;
            const client = new shield.ShieldClient({ baseUrl: url });
            const storage = new shield.MemoryStorage();
            const outbox = new shield.Outbox({ client, storage, now: () => now, random: () => 0 });
            for (const id of ["a", "b", "c", "d"]) {
              await outbox.say({ id, scanType: "text", verdict: "spam" }, true);
              now += 1;
            }
            const rounds = [];
            for (const at of [10, 600, 9010, 9011]) {
              now = at;
              const { sent, waiting, retryAfterSeconds } = await outbox.deliver();
              rounds.push([sent, waiting, retryAfterSeconds]);
            }
            say(rounds);
            """,
            url=url,
        )
    assert rounds == STUBBORN_ROUNDS
    assert [scan for scan, _ in sent] == STUBBORN_SENT
    assert len(set(sent)) == 4, "each letter keeps its key"


def test_on_a_full_device_nothing_is_sent_twice_or_too_early(package: Path) -> None:
    with scripted(FULL) as (url, sent):
        told = in_node(
            package,
            """
            let now = 0;
            class Full extends shield.MemoryStorage {
              settle(...given) { this.write(now < 60000); return super.settle(...given); }
              amend(...given) { this.write(true); return super.amend(...given); }
              write(isFull) { if (isFull) throw new DOMException("full", "QuotaExceededError"); }
            }
            const client = new shield.ShieldClient({ baseUrl: url });
            const storage = new Full();
            const outbox = new shield.Outbox({ client, storage, now: () => now, random: () => 0 });
            for (const id of ["a", "b", "c"]) {
              await outbox.say({ id, scanType: "text", verdict: "spam" }, true);
              now += 1;
            }
            const rounds = [], unkept = [], waiting = [];
            for (const at of [10, 20, 60010, 120010, 150010]) {
              now = at;
              const delivery = await outbox.deliver();
              rounds.push([delivery.sent, delivery.retryAfterSeconds]);
              unkept.push(delivery.unkept?.name ?? null);
              waiting.push(await outbox.waiting());
            }
            say({ rounds, unkept, waiting });
            """,
            url=url,
        )
    assert told["rounds"] == FULL_ROUNDS
    full = "QuotaExceededError"
    assert told["unkept"] == [full, full, full, None, None]
    assert told["waiting"] == [2, 2, 2, 2, 0]
    assert [scan for scan, _ in sent] == FULL_SENT
    assert len(set(sent)) == 3, "each letter keeps its key"


def test_a_storage_that_cannot_be_read_ends_no_sending(package: Path) -> None:
    told = in_node(
        package,
        """
        const timers = [];
        globalThis.setTimeout = (run, milliseconds) => timers.push(milliseconds);
        class Broken extends shield.MemoryStorage {
          letters() { return Promise.reject(new Error("broken")); }
        }
        const outbox = new shield.Outbox({ client: {}, storage: new Broken() });
        const told = [];
        globalThis.reportError = (error) => told.push(error.message);
        outbox.start();
        await new Promise((resolve) => setImmediate(resolve));
        say({ timers, told });
        """,
    )
    assert told == {"timers": [60_000], "told": ["broken"]}


def test_a_pause_reckoned_by_a_clock_that_was_wrong_holds_up_nothing(package: Path) -> None:
    with scripted({"a": [[503, {"Retry-After": "9"}, {}], *STUBBORN["b"]]}) as (url, sent):
        rounds = in_node(
            package,
            """
            let now = Date.parse("2099-01-01");
            const client = new shield.ShieldClient({ baseUrl: url });
            const storage = new shield.MemoryStorage();
            const outbox = new shield.Outbox({ client, storage, now: () => now, random: () => 0 });
            await outbox.say({ id: "a", scanType: "text", verdict: "spam" }, true);
            const first = await outbox.deliver();
            now = Date.parse("2026-01-01");
            say([first, await outbox.deliver()].map((each) => [each.sent, each.retryAfterSeconds]));
            """,
            url=url,
        )
    assert rounds == [[0, 9], [1, None]]
    assert len(sent) == 2


def test_reports_and_counts_follow_the_rules_of_feedback(package: Path) -> None:
    with scripted(MIXED) as (url, sent):
        told = in_node(
            package,
            """
            let now = 0;
            const client = new shield.ShieldClient({ baseUrl: url });
            const storage = new shield.MemoryStorage();
            const outbox = new shield.Outbox({ client, storage, now: () => now, random: () => 0 });
            const scan = { id: "here", scanType: "text", verdict: "spam", text: "r" };
            const here = { ...scan, judgedHere: true, certainty: "sure", modelVersion: "v1" };
            await outbox.say(here, false);
            now += 1;
            await outbox.say({ id: "b", scanType: "text", verdict: "spam" }, true);
            for (const version of ["v1", "v2"])
              for (let n = 0; n < 20; n += 1) await outbox.count("text", version, "harmless");
            const rounds = [];
            for (const at of [10, 4010, 4510, 5510]) {
              now = at;
              if (at === 5510) await outbox.say(here, true, "look again");
              const { sent, waiting, retryAfterSeconds } = await outbox.deliver();
              rounds.push([sent, waiting, retryAfterSeconds]);
            }
            say({ rounds, left: await storage.tallies(), after: await outbox.feedbackOf("here") });
            """,
            url=url,
        )
    assert told["rounds"] == MIXED_ROUNDS
    assert [name for name, _ in sent] == MIXED_SENT
    assert len(set(sent)) == 5, "each keeps its key"
    assert told["left"] == []
    assert (told["after"]["state"], told["after"]["comment"]) == ("sent", "look again")


def test_answers_are_counted_in_lots_with_a_quarter_by_lot(package: Path) -> None:
    story = counting_story()
    tallies = in_node(
        package,
        """
        const { tallied, lotsOf } = await import(judge);
        let tallies = [];
        let keys = 0;
        for (const [version, answer] of answers) {
          const said = { scanType: "text", version, answer };
          const one = tallied(tallies, said, () => String(keys++), () => draws.shift());
          tallies[Number(one.key)] = one;
        }
        say({ all: tallies, full: lotsOf(tallies).length, left: draws.length });
        """,
        judge=(package / "dist/judge.js").as_uri(),
        answers=story["answers"],
        draws=story["draws"],
    )
    names = ("harmless", "scam", "unsure")
    counted = [[each["version"], *(each["counts"][n] for n in names)] for each in tallies["all"]]
    assert counted == story["tallies"]
    assert (tallies["full"], tallies["left"]) == (4, 0)


def test_what_the_device_judged_is_reported_and_counted(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = version_with_judge(tmp_path / "package", random=True)
    monkeypatch.setenv("SHIELD_TRUSTED_KEYS", str(made.trusted_keys))
    with model_server() as arm, running_api(tmp_path / "api") as api:
        push(api.services.artifacts, made.package.path)
        make_stable(api.services.rollouts, "sms-v1", made.package, url=arm)
        told = in_node(
            package,
            """
            const client = new shield.ShieldClient({ baseUrl: url, token });
            const params = { path: { scan_type: "text" } };
            await client.api.GET("/api/v2/device/{scan_type}/release", { params });
            const storage = new shield.MemoryStorage();
            const outbox = new shield.Outbox({ client, storage, random: () => 0 });
            const said = { judgedHere: true, modelVersion: "sms-v1", certainty: "unsure" };
            const scan = { id: "mine", scanType: "text", verdict: "ham", text, ...said };
            await outbox.say(scan, true);
            for (let n = 0; n < 45; n += 1) await outbox.count("text", "sms-v1", "harmless");
            const first = await outbox.deliver();
            await outbox.say(scan, false, "my own team");
            const second = await outbox.deliver();
            const { items } = await client.scans();
            const left = (await storage.tallies()).map(({ counts }) => counts);
            say({ first, second, items, left, standing: await outbox.feedbackOf("mine") });
            """,
            url=api.url,
            token=api.token("ada"),
            text="Reply now to win a holiday",
        )
        assert [told[each]["sent"] for each in ("first", "second")] == [1, 1]
        assert told["standing"]["state"] == "sent"
        (scan,) = told["items"]
        assert scan["feedback"]["feedbackType"] == "false_positive", "about the server's verdict"
        assert [sum(counts.values()) for counts in told["left"]] == [5]
        with api.client("rita", "reviewer") as rita:
            (item,) = rita.pending().items
            assert (item.corrected_label, item.comment) == ("ham", "my own team")
            (row,) = rita.device_counts()
        assert (row.scans, row.judged_again, row.disagreed) == (40, 1, 1)


def test_the_package_brings_the_judge_on_the_device(package: Path, tmp_path: Path) -> None:
    write_vectors(tmp_path, count=200, seed=20260607)
    found = in_node(
        package,
        """
        const { openJudge } = await import(judge);
        const { explain, TABLES } = await import(reasons);
        const { readFileSync } = await import("node:fs");
        const read = (name) => new Uint8Array(readFileSync(`${folder}/${name}`));
        const text = (name) => JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));
        const files = [read("device.safetensors"), read("characters.json")];
        const phone = openJudge(text("device.json"), ...files);
        const judged = text("vectors.json").map((each) => {
          const { margin, label, certainty } = phone.judge(each.text);
          const same = label === each.label && certainty === each.certainty;
          return [Math.abs(margin - each.margin), same];
        });
        const said = { scanType: "text", flagged: true, sure: true };
        const reader = { language: "de", country: "GB" };
        say({ judged, why: explain("Pay the fee today", said, TABLES, reader, phone.characters) });
        """,
        judge=(package / "dist/judge.js").as_uri(),
        reasons=(package / "dist/reasons.js").as_uri(),
        folder=str(tmp_path),
    )
    judged = found["judged"]
    assert len(judged) == 200
    assert max(apart for apart, _ in judged) < 1e-6
    assert all(same for _, same in judged)
    whole = explain(
        "Pay the fee today", ScanType.TEXT, flagged=True, sure=True, reader=Reader("de", "GB")
    )
    assert found["why"]["advice"] == whole.advice.model_dump(by_alias=True)
    assert "asks-for-money" in [each["id"] for each in found["why"]["reasons"]]
