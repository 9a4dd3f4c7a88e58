"""How often the operator of a cluster lists what it otherwise knows from events."""

from serving.operator.handlers import list_pause


def test_after_a_partition_everything_is_listed_until_dead_watches_are_noticed() -> None:
    assert list_pause(1000.0, None) == 300.0
    assert list_pause(1000.0, 999.0) == 3.0
    assert list_pause(1074.0, 1000.0) == 3.0
    assert list_pause(1200.0, 1000.0) == 300.0
