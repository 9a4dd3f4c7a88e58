"""The limit: tokenise and run, in so many threads, in one process, with nothing around it.

    python -m bench.serving.raw PACKAGE MODEL THREADS   then, per line of stdin, run for so many
    seconds

Answers one JSON line per run: messages, seconds, processor seconds.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path


def main() -> None:
    """Serve runs until stdin ends."""
    package, model, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    os.environ |= {"BENCH_PACKAGE": package, "BENCH_MODEL": model}
    from bench.serving.peers.scorer import Scorer

    scorer = Scorer()
    texts: list[str] = json.loads(Path(sys.argv[4]).read_text())
    for text in texts[:50]:
        scorer.probability(text)
    for line in sys.stdin:
        print(json.dumps(_run(scorer.probability, texts, threads, float(line))), flush=True)


def _run(score: object, texts: list[str], threads: int, seconds: float) -> dict[str, float]:
    assert callable(score)
    counts = [0] * threads
    started, cpu = time.perf_counter(), time.process_time()
    until = started + seconds

    def work(number: int) -> None:
        place = number
        while time.perf_counter() < until:
            score(texts[place % len(texts)])
            place += threads
            counts[number] += 1

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return {
        "messages": sum(counts),
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu,
    }


if __name__ == "__main__":
    main()
