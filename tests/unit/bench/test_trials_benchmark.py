import json
from dataclasses import replace

import numpy as np
import pytest

from bench.trials import before, now
from bench.trials.__main__ import RESULTS, page
from bench.trials.experiment import run
from bench.trials.world import World, draw


def test_messages_have_the_error_rates_that_were_asked_for() -> None:
    for clustered in (False, True):
        world = World(difference=0.03, clustered=clustered, complaining=0.01)
        messages = draw(world, np.random.default_rng(1))
        difference = messages.trial_errs.mean() - messages.stable_errs.mean()
        assert difference == pytest.approx(0.03, abs=0.004)
        apart = messages.trial_errs != messages.stable_errs
        assert apart.mean() == pytest.approx(world.disagree, abs=0.006)


def test_the_former_canary_promotes_what_is_worse_and_the_present_rule_does_not() -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        messages = draw(World(difference=0.03, days=4), rng)
        assert before.canary(messages, rng).promoted
        told = now.paired(messages, rng)
        assert told.rejected
        assert not told.promoted


def test_no_more_is_decided_in_a_day_than_was_agreed() -> None:
    rng = np.random.default_rng(3)
    messages = draw(replace(World(difference=0.004), days=5), rng)
    told = now.paired(messages, rng, per_day=10)
    assert told.decided <= 60


def test_the_experiment_runs_in_small_and_the_page_is_what_the_results_say() -> None:
    outcome = run(short=True)
    assert len(outcome.aims) == 5
    assert json.dumps(outcome.figures)
    results = json.loads(RESULTS.read_text())
    assert [row["what"] for row in results["figures"]["rows"]] == [
        row["what"] for row in outcome.figures["rows"]
    ]
    written = (RESULTS.parents[2] / "docs/benchmarks-trials.md").read_text()
    assert written == page(results)
