"""Which arm serves which user. Pure: the same arguments give the same arm on every machine."""

from enum import StrEnum
from hashlib import blake2b

_BUCKETS = 2**64


class Arm(StrEnum):
    """The two deployments that may answer while a rollout is in progress."""

    STABLE = "stable"
    CANDIDATE = "candidate"


def bucket(user_id: str, salt: str) -> float:
    """Return the user's place in [0, 1), uniform over users and independent between salts."""
    digest = blake2b(
        user_id.encode(), key=blake2b(salt.encode(), digest_size=32).digest(), digest_size=8
    )
    return int.from_bytes(digest.digest()) / _BUCKETS


def arm_for(user_id: str, weight: float, salt: str) -> Arm:
    """Return the arm of a user.

    Args:
        user_id: Any string. The same user stays on an arm for as long as `salt` stays.
        weight: Share of users on the candidate, in percent (0 to 100). A rising weight moves users
            only from stable to candidate, a falling one only back.
        salt: Changes with each rollout, so that no user is always the first to meet a new version.

    Raises:
        ValueError: The weight is not between 0 and 100.
    """
    if not 0 <= weight <= 100:
        raise ValueError(f"A weight is a percentage from 0 to 100, not {weight}.")
    return Arm.CANDIDATE if bucket(user_id, salt) * 100 < weight else Arm.STABLE
