"""Two weeks of messages, scanned by users of whom no two are alike, and what both versions say."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

DAY_SECONDS = 86400.0


@dataclass(frozen=True)
class World:
    """How often the versions err, and who meets it."""

    difference: float = 0.0
    """Error rate of the version on trial less that of the other, per message."""
    stable_alone: float = 0.015
    """Share of messages on which the stable version errs and the one on trial does not."""
    both: float = 0.015
    """Share of messages on which both err."""
    misses: float = 0.7
    """Share of misses among the errors of the version on trial; the others are false alarms."""
    stable_misses: float = 0.7
    """The same of the stable version."""
    reporting: float = 0.1
    """Share of false alarms that users report."""
    misses_reported: float = 1.0
    """Times that share, of the misses."""
    complaining: float = 0.0
    """Share of right verdicts that users report as wrong."""
    clustered: bool = False
    """Some users meet errors often and most seldom, of either version by itself; some report most
    of what they meet, and most report nothing. 30 % of the messages are of campaigns, on each of
    which a version is right or wrong once for all."""
    scans_per_day: int = 10_000
    users: int = 3000
    days: int = 14

    def __str__(self) -> str:
        told = f"{100 * self.difference:+.1f} points, disagreeing on {100 * self.disagree:.1f} %"
        return told + (", clustered users" if self.clustered else "")

    @property
    def disagree(self) -> float:
        """Share of messages on which the versions disagree."""
        return 2 * self.stable_alone + self.difference


@dataclass(frozen=True)
class Messages:
    """One draw of a world, in the order of time."""

    seconds: Floats
    user: Ints
    campaign: Ints
    """Messages of equal number are near-identical. Numbers from the count of all messages on are
    campaigns."""
    trial_errs: Bools
    stable_errs: Bools
    report: Bools
    """Whether the user would report an error."""
    complain: Bools
    """Whether the user would report a right verdict."""


def draw(world: World, rng: np.random.Generator) -> Messages:
    """Draw the messages of a world."""
    n = world.scans_per_day * world.days
    activity = rng.lognormal(0.0, 1.2, world.users)
    user = _choose(activity, n, rng)
    campaign = np.arange(n, dtype=np.int64)
    trial_alone = np.full(n, world.stable_alone + world.difference)
    stable_alone = np.full(n, world.stable_alone)
    keen = np.full(world.users, world.reporting)
    grumbling = np.full(world.users, world.complaining)
    if world.clustered:
        own = rng.gamma(0.5, 2.0, (2, world.users))
        # What users meet is counted by message: the mean over messages is held.
        own /= (own[:, user]).mean(axis=1, keepdims=True)
        trial_alone, stable_alone = trial_alone * own[0, user], stable_alone * own[1, user]
        keen = _unlike(world.reporting, world.users, rng)
        grumbling = _unlike(world.complaining, world.users, rng)
    # One number decides who errs: below the first bound the one alone, below the second the other.
    chance = rng.random(n)
    both = rng.random(n) < world.both
    if world.clustered:
        per_day = max(1, world.scans_per_day // 100)
        sizes = rng.lognormal(0.0, 1.0, per_day * world.days)
        mass = rng.random(n) < 0.3
        which = _choose(sizes, n, rng)
        campaign = np.where(mass, n + which, campaign)
        chance = np.where(mass, rng.random(sizes.size)[which], chance)
        both = np.where(mass, (rng.random(sizes.size) < world.both)[which], both)
        trial_alone = np.where(mass, world.stable_alone + world.difference, trial_alone)
        stable_alone = np.where(mass, world.stable_alone, stable_alone)
    trial_errs = (chance < trial_alone) | both
    stable_errs = ((chance >= trial_alone) & (chance < trial_alone + stable_alone)) | both
    share = np.where(trial_errs & ~stable_errs, world.misses, world.stable_misses)
    missed = rng.random(n) < share
    share = keen[user] * np.where(missed, world.misses_reported, 1.0)
    seconds = np.sort(rng.random(n)) * world.days * DAY_SECONDS
    report, complain = rng.random(n) < share, rng.random(n) < grumbling[user]
    return Messages(seconds, user, campaign, trial_errs, stable_errs, report, complain)


def _unlike(mean: float, n: int, rng: np.random.Generator) -> Floats:
    """Draw shares of which most are near 0 and some near 1."""
    return rng.beta(0.3 * mean, 0.3 * (1 - mean), n) if mean else np.zeros(n)


def _choose(weights: Floats, n: int, rng: np.random.Generator) -> Ints:
    """Draw `n` places with chances in proportion to `weights`."""
    times = rng.multinomial(n, weights / weights.sum())
    return rng.permutation(np.repeat(np.arange(weights.size, dtype=np.int64), times))
