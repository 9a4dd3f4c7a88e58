"""Slices to figures, aims, a table and a plot."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_NAMES = {
    "ours": "antispam-shield (int8)",
    "ours-fp32": "antispam-shield (fp32)",
    "kserve": "KServe",
    "litserve": "LitServe",
    "bentoml": "BentoML",
    "ray": "Ray Serve",
    "mlserver": "MLServer",
    "plain": "FastAPI + transformers pipeline (fp32)",
}
_AIMS = {"kserve": 2.4, "litserve": 2.8, "bentoml": 2.8, "ray": 4.0, "mlserver": 4.0, "plain": 5.0}


def summarise(result: dict[str, Any]) -> dict[str, Any]:
    """Return figures per server and the aims, each with what was measured."""
    by_server: dict[str, list[dict[str, Any]]] = {}
    for one in result["slices"]:
        by_server.setdefault(one["server"], []).append(one)
    figures = {name: _figures(slices) for name, slices in by_server.items()}
    load, cores = result["machine"]["load_average"], result["machine"]["cores"]
    # The benchmark itself keeps every core and a client busy.
    busy = f"other work held the cores (load average {load:g}); " if load > 2 * cores + 2 else ""
    return {"figures": figures, "aims": _aims(figures, result["scenarios"], busy)}


def _figures(slices: Sequence[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "start_seconds": _spread([one["start_seconds"] for one in slices]),
        "memory_mb": _spread([one["memory_mb"] for one in slices]),
        "errors": sum(one["errors"] for one in slices),
    }
    for concurrency in sorted({one["concurrency"] for one in slices}):
        chosen = [one for one in slices if one["concurrency"] == concurrency]
        found[f"c{concurrency}"] = {
            "throughput": _spread([one["throughput"] for one in chosen]),
            "of_raw": _spread([one["throughput"] / one["raw"] for one in chosen]),
            "cpu_ms": _spread([one["cpu_ms"] for one in chosen]),
            "cpu_of_raw": _spread([one["cpu_ms"] / one["raw_cpu_ms"] for one in chosen]),
            "p50_ms": _spread([one["p50_ms"] for one in chosen]),
            "p99_ms": _spread([one["p99_ms"] for one in chosen]),
        }
    return found


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 4),
        "least": round(min(values), 4),
        "most": round(max(values), 4),
        "slices": len(values),
    }


def _best(figures: dict[str, Any], measure: str) -> float:
    """Return a server's best median over the concurrencies."""
    return max(float(value[measure]["median"]) for key, value in figures.items() if key[0] == "c")


def _aims(figures: dict[str, Any], scenarios: dict[str, Any], busy: str) -> list[dict[str, Any]]:
    aims: list[dict[str, Any]] = []

    def add(
        name: str, goal: str, measured: float, met: bool, unit: str = "", reason: str | None = None
    ) -> None:
        told = None if met else reason or "see the notes below"
        measured_text = f"{measured:.3g}{unit}"
        aims.append(
            {"name": name, "goal": goal, "measured": measured_text, "met": met, "reason": told}
        )

    for name, goal in (("ours", 0.92), ("ours-fp32", 0.97)):
        if name in figures:
            share = _best(figures[name], "of_raw")
            add(f"{_NAMES[name]}, share of the raw limit", f">= {goal}", share, share >= goal)
    for name, goal in _AIMS.items():
        if name in figures and "ours" in figures:
            # Each share is of the raw limit in its own minutes, so their ratio compares servers
            # that were not measured in the same second.
            ratio = _best(figures["ours"], "of_raw") / _best(figures[name], "of_raw")
            reason = None if name == "plain" else _bound(figures["ours"], figures[name])
            met = ratio >= goal
            add(f"throughput beside {_NAMES[name]}", f">= {goal}x", ratio, met, "x", reason)
    if loads := scenarios.get("loads"):
        tail = loads["70%"]["p99_ms"] / loads["70%"]["p50_ms"]
        alone = loads["5%"]["p99_ms"] / loads["5%"]["p50_ms"]
        reason = (
            f"{busy}with hardly anybody waiting, at 5 % load, it is {alone:.2g}: so much longer "
            "than the usual message takes a long one"
        )
        add("p99 over p50 at 70 % load", "<= 3", tail, tail <= 3, reason=reason)
        over = loads["300%"]
        add(
            "goodput at 3x overload",
            ">= 0.95",
            over["goodput_share"],
            over["goodput_share"] >= 0.95,
            reason=(
                f"{busy}the client, which sends three times as much from the same cores, takes "
                f"{over['client_share']:.0%} of them, and reading and refusing what is too much "
                "takes its part"
            ),
        )
        fast = over["refusal_p50_ms"] or 0.0
        add("median refusal at 3x overload", "< 5 ms", fast, fast < 5, " ms")
    if repeats := scenarios.get("repeats"):
        add("throughput with 80 % repeats", ">= 5x", repeats["gain"], repeats["gain"] >= 5, "x")
        add(
            "wrong answers from the cache",
            "0",
            repeats["wrong_answers"],
            not repeats["wrong_answers"],
        )
    if switching := scenarios.get("switching"):
        add(
            f"failed requests in {switching['switches']} switches",
            "0",
            switching["failed"],
            switching["failed"] == 0,
        )
        tail = switching["during_p99_ms"] / switching["steady_p99_ms"]
        add("p99 while switching over steady", "<= 1.5", tail, tail <= 1.5)
        warm, cold = switching["warm_ms"], switching["cold_seconds"]
        add("warm switch", "<= 50 ms", warm, warm <= 50, " ms")
        add("cold switch under load", "<= 1.5 s", cold, cold <= 1.5, " s")
    if "ours" in figures:
        start = figures["ours"]["start_seconds"]["median"]
        least = figures["ours"]["start_seconds"]["least"]
        reason = f"{busy}the fastest start took {least:.2g} s"
        add("start to first answer", "< 2 s", start, start < 2, " s", reason)
    return aims


def _bound(ours: dict[str, Any], peer: dict[str, Any]) -> str:
    """Tell how much better than a peer anybody could be who runs the same model."""
    spent, raw = _cheapest(peer)
    own, own_raw = _cheapest(ours)
    return (
        f"of its {spent:.2f} ms of processor time per request {raw:.2f} ms are the model itself: "
        f"who wastes nothing is {spent / raw:.2f}x as good. Around the model it spends "
        f"{spent - raw:.2f} ms, we {own - own_raw:.2f} ms"
    )


def _cheapest(figures: dict[str, Any]) -> tuple[float, float]:
    """Return the least processor ms per request, and of the raw limit beside it (medians)."""
    cells = [value for key, value in figures.items() if key[0] == "c"]
    best = min(cells, key=lambda cell: float(cell["cpu_of_raw"]["median"]))
    spent = float(best["cpu_ms"]["median"])
    return spent, spent / float(best["cpu_of_raw"]["median"])


PAGE = Path("docs/benchmarks-serving.md")
PLOT = Path("docs/images/serving.svg")
NOTES = Path("docs/benchmarks-serving-notes.md")


def write_page(result: dict[str, Any]) -> None:
    """Write the page and its plot."""
    PAGE.write_text(render(result))
    _plot(result["figures"], _order(result["figures"]), PLOT)


def _order(figures: dict[str, Any]) -> list[str]:
    return sorted(figures, key=lambda name: -_best(figures[name], "of_raw"))


def render(result: dict[str, Any]) -> str:
    """Return the page: the table, the aims, the open loop and the notes."""
    figures, machine = result["figures"], result["machine"]
    order = _order(figures)
    lines = [
        "# The model server beside the limit and its peers",
        "",
        "Written by `make bench-serving`; the raw figures are in `bench/results/serving.json`.",
        "",
        f"{machine['processor']}, {machine['cores']} cores, load average {machine['load_average']} "
        f"when written, {result['date']}. MiniLM-L6, messages of the SMS Spam Collection (22 "
        "tokens "
        "on average), answers not cached. Peers that take onnxruntime run the same int8 file "
        "with the "
        "same session settings and one worker per core. *Raw* is the limit: tokenise and run in as "
        "many threads in one process, nothing around it, measured before and after every slice. "
        "Medians; in brackets the least and the most of the slices. *CPU* is the processor time of "
        "the whole process tree; *around the model* is what is left of it without the raw limit's.",
        "",
        "| server | requests/s, best | share of raw | CPU ms per request | around the model, ms "
        "| p50 / p99 at c=8, ms | memory MiB | start s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in order:
        one = figures[name]
        best = max(
            (key for key in one if key[0] == "c"), key=lambda key: one[key]["of_raw"]["median"]
        )
        at8 = one.get("c8", one[best])
        spent, raw = _cheapest(one)
        # The plain stack does not run the file of the raw limit.
        around = "-" if name == "plain" else f"{spent - raw:.2f}"
        lines.append(
            f"| {_NAMES[name]} | {_cell(one[best]['throughput'], 0)} ({best}) "
            f"| {_cell(one[best]['of_raw'], 2)} | {_cell(one[best]['cpu_ms'], 2)} "
            f"| {around} "
            f"| {at8['p50_ms']['median']:.1f} / {at8['p99_ms']['median']:.1f} "
            f"| {one['memory_mb']['median']:.0f} | {one['start_seconds']['median']:.1f} |"
        )
    lines += [
        "",
        *(f"- {name}: not measured ({why})" for name, why in result["not_measured"].items()),
    ]
    lines += ["", f"![Share of the raw limit](images/{PLOT.name})", "", "## Aims", ""]
    lines += ["| aim | goal | measured | |", "|---|---|---|---|"]
    for aim in result["aims"]:
        met = "met" if aim["met"] else f"**missed**: {aim['reason']}"
        lines.append(f"| {aim['name']} | {aim['goal']} | {aim['measured']} | {met} |")
    lines += ["", *_load_table(result["scenarios"].get("loads", {}))]
    lines += ["", NOTES.read_text().strip()]
    return "\n".join(lines) + "\n"


def _cell(spread: dict[str, float], digits: int) -> str:
    median, least, most = (f"{spread[key]:.{digits}f}" for key in ("median", "least", "most"))
    return f"{median} [{least}, {most}]"


def _load_table(loads: dict[str, Any]) -> list[str]:
    if not loads:
        return []
    lines = [
        "## At a fixed rate (open loop)",
        "",
        "| load | offered/s | answered/s | p50 ms | p99 ms | refused | refusal p50 / p99 ms | "
        "failed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for share, one in loads.items():
        p50, p99, refusal_p50, refusal_p99 = (
            "-" if one[key] is None else f"{one[key]:.1f}"
            for key in ("p50_ms", "p99_ms", "refusal_p50_ms", "refusal_p99_ms")
        )
        lines.append(
            f"| {share} | {one['offered']:.0f} | {one['goodput']:.0f} | {p50} | {p99} "
            f"| {one['refused']:.0f} | {refusal_p50} / {refusal_p99} | {one['failed']} |"
        )
    return lines


def _plot(figures: dict[str, Any], order: Sequence[str], target: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    # Fixed ids, so that the same figures draw the same file.
    mpl.rcParams["svg.hashsalt"] = "serving"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 0.5 * len(order) + 1.2))
    for place, name in enumerate(reversed(order)):
        one = figures[name]
        spread = max(
            (value["of_raw"] for key, value in one.items() if key[0] == "c"),
            key=lambda value: float(value["median"]),
        )
        low, high = spread["median"] - spread["least"], spread["most"] - spread["median"]
        colour = "#1f6f54" if name.startswith("ours") else "#9aa5a0"
        axes.barh(place, spread["median"], color=colour)
        axes.errorbar(spread["median"], place, xerr=[[low], [high]], color="black", capsize=3)
    axes.axvline(1.0, color="black", linewidth=0.8, linestyle="--")
    axes.set_yticks(range(len(order)), [_NAMES[name] for name in reversed(order)])
    axes.set_xlabel("throughput as a share of the raw limit (1 = nothing wasted)")
    figure.tight_layout()
    target.parent.mkdir(exist_ok=True)
    figure.savefig(target, metadata={"Date": None})
