"""No two rooms import each other, directly or in a circle: each tree has an order."""

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

TREES = ("api", "bench", "cli", "clients", "components", "pipelines", "serving", "shield", "tests")


def rooms_of(tree: str) -> dict[str, set[str]]:
    """Return which rooms each room of a tree imports; a room is what lies one level down."""
    graph = grimp.build_graph(tree)
    imports: dict[str, set[str]] = {}
    for module in graph.modules - {tree}:
        room = imports.setdefault(_room(module), set())
        imported = graph.find_modules_directly_imported_by(module)
        room.update({_room(one) for one in imported} - {_room(module), tree})
    return imports


def _room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def cycles_among(imports: dict[str, set[str]]) -> list[list[str]]:
    """Return cycles until none is left, each cut at its last arrow."""
    rest = {room: set(imported) for room, imported in imports.items()}
    cycles = []
    while True:
        try:
            TopologicalSorter(rest).prepare()
        except CycleError as error:
            cycle = error.args[1]
            cycles.append(cycle)
            rest[cycle[1]].remove(cycle[0])
        else:
            return cycles


@pytest.mark.parametrize("tree", TREES)
def test_no_rooms_import_each_other_in_a_circle(tree: str) -> None:
    assert cycles_among(rooms_of(tree)) == []


def test_every_circle_is_counted() -> None:
    assert cycles_among({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert len(cycles_among({"a": {"b"}, "b": {"a", "c"}, "c": {"b"}})) == 2
    assert len(cycles_among({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == 1
