"""The encoder on the phone, in a real Chromium, beside the server: flips, time, memory, bytes."""

import os
import shutil
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

from api.pages.assets import Assets
from bench.learning.lab import trained
from bench.outcome import Aim, Outcome
from components.prepare_corpus import step as prepare_step
from components.prepare_corpus.book import book_messages
from components.prepare_corpus.first import first_dataset
from components.shared.base_model import MULTILINGUAL
from components.shared.environment import StepSettings
from shield.book import Side
from shield.device import DEVICE, Operating, quantised, write_device
from shield.labels import ModelType
from shield.linear import LinearModel
from shield.packages import ModelPackage, generate_key, load_private_key, pack, push, save_key, sign
from shield.packages.manifest import LINEAR, SIGNATURE
from shield.predictor import Predictor
from tests.support.api import running_api
from tests.support.arms import model_server
from tests.support.browser import FLAGS, PHONE, ensure_chromium, open_page
from tests.support.judge import make_stable

FLIPS = 0.002
OPEN = """async ({ token, digest, worker, engine }) => {
  const api = "/api/v2/device/text", headers = { Authorization: `Bearer ${token}` };
  const whole = async (answer) => new Uint8Array(await answer.arrayBuffer());
  const unpacked = ({ body }) =>
    whole(new Response(body.pipeThrough(new DecompressionStream("gzip"))));
  await fetch(`${api}/release`, { headers });
  const file = async (name) => whole(await fetch(`${api}/files/${digest}/${name}`, { headers }));
  const manifest = JSON.parse(new TextDecoder().decode(await file("manifest.json")));
  const listed = (await (await fetch(`${api}/encoder/${digest}`, { headers })).json()).data.files;
  const files = {}, bytes = {};
  for (const { name, bytes: size } of listed) {
    files[name] = await unpacked(await fetch(`${api}/encoder/${digest}/${name}`, { headers }));
    bytes[name] = size;
  }
  const packed = await fetch(engine);
  bytes.engine = Number(packed.headers.get("Content-Length"));
  const content = { manifest, tokenizer: files["tokenizer.json"], samples: files["samples.json"],
    linear: files["linear.safetensors"], characters: await file("characters.json") };
  const given = { engine: await unpacked(packed), model: files["model.int8.onnx"], content };
  const asked = new Worker(worker, { type: "module" });
  window.ask = (message) => new Promise((resolve) => {
    asked.onmessage = ({ data }) => resolve(data);
    asked.postMessage(message);
  });
  const began = performance.now();
  const said = await window.ask(given);
  return { problem: said.problem ?? null, ms: performance.now() - began, bytes };
}"""
JUDGE = """async (texts) => {
  const told = [];
  for (const text of texts) {
    const began = performance.now();
    const { judgement, problem } = await window.ask({ id: told.length + 1, text });
    if (problem) throw new Error(problem);
    told.push([judgement.margin, judgement.certainty, performance.now() - began]);
  }
  return told;
}"""


def run(folder: Path, *, short: bool, package: Path | None) -> Outcome:
    """Judge the book's judging half on phone and server, by `package` or by one trained for it."""
    version = _signed(package or _trained(folder, short), folder)
    table = book_messages(ModelType.SMS, Side.JUDGE, seed=0)
    texts = table.sample(min(table.height, 100 if short else 2000), seed=0)["text"].to_list()
    predictor = Predictor(version)
    there = predictor.margins(texts)
    sure = [predictor.certainty(each).value for each in predictor.probabilities(texts)]
    with (
        model_server(ModelType.SMS) as url,
        running_api(folder / "api", embedded=True) as api,
        sync_playwright() as playwright,
    ):
        push(api.services.artifacts, version.path)
        make_stable(api.services.rollouts, "sms-v1", version, url=url)
        browser = playwright.chromium.launch(executable_path=str(ensure_chromium()), args=FLAGS)
        with open_page(browser, PHONE) as (_, page):
            page.goto(f"{api.url}/healthz")
            names = Assets().names()
            before = _memory()
            opened = page.evaluate(
                OPEN,
                {
                    "token": api.token("ada"),
                    "digest": version.digest.removeprefix("sha256:"),
                    "worker": f"/app/encoder/{names['encoder-worker.js']}",
                    "engine": f"/assets/{names['encoder-engine.gz']}",
                },
            )
            assert opened["problem"] is None, opened["problem"]
            told = page.evaluate(JUDGE, texts)
            memory = _memory() - before
        browser.close()
    here = np.array([margin for margin, _, _ in told])
    flips = float(np.mean((here >= 0) != (there >= 0)))
    times = [took for _, _, took in told]
    figures: dict[str, Any] = {
        "messages": len(texts),
        "flips": flips,
        "certainties that differ": float(
            np.mean([one != other for (_, one, _), other in zip(told, sure, strict=True)])
        ),
        "difference of a margin, median": round(float(np.median(np.abs(here - there))), 4),
        "difference of a margin, largest": round(float(np.abs(here - there).max()), 4),
        "open ms": round(opened["ms"]),
        "median ms": round(median(times), 1),
        "p99 ms": round(float(np.quantile(times, 0.99)), 1),
        "memory MB": round(memory / 1e6),
        "bytes over the wire": opened["bytes"],
        "trained here": package is None,
    }
    total = sum(opened["bytes"].values()) / 1e6
    return Outcome(
        figures,
        [
            Aim(
                "verdicts of the encoder on the phone that differ from the server's",
                f"<= {FLIPS:.1%}",
                f"{flips:.2%} of {len(texts)}",
                flips <= FLIPS,
                f"A message takes {figures['median ms']} ms (median; p99 {figures['p99 ms']} ms) "
                f"on one core, opening {figures['open ms']} ms; {total:.1f} MB are loaded, and "
                f"the browser takes {figures['memory MB']} MB more.",
            )
        ],
    )


def _trained(folder: Path, short: bool) -> Path:
    """Train a first model of the product on some of its messages; return its package."""
    settings = StepSettings(base_model=Path(MULTILINGUAL), api_url=None)
    corpus, dataset = folder / "corpus", folder / "dataset"
    most = 600 if short else 2000
    prepare_step.run(
        corpus, model_type=ModelType.SMS, settings=settings, seed=0, most_messages=most
    )
    first_dataset(corpus, dataset)
    return trained(dataset, None)


def _signed(source: Path, folder: Path) -> ModelPackage:
    """Return a copy of a package, signed by a key that this API's phones are told to trust."""
    path = folder / "package"
    shutil.copytree(source, path)
    (path / SIGNATURE).unlink(missing_ok=True)
    if not (path / DEVICE).exists():  # made before phones judged
        judge = quantised(LinearModel.from_bytes((path / LINEAR).read_bytes(), LINEAR))
        operating = Operating(scale=1.0, bias=0.0, harmless=0.5, scam=0.5)
        write_device(judge._replace(operating=operating), ModelType.SMS, path)
    pack(path, ModelPackage.open(source).manifest.model_copy(update={"files": {}}))
    save_key(generate_key(), folder / "key.pem", folder / "trusted")
    os.environ["SHIELD_TRUSTED_KEYS"] = str(folder / "trusted")
    return sign(path, load_private_key(folder / "key.pem"))


def _memory() -> int:
    """Return what the renderers of this process's browser take, in bytes (proportional)."""
    return sum(
        1024 * int(line.split()[1])
        for process in Path("/proc").iterdir()
        if process.name.isdigit() and _is_our_renderer(process)
        for line in (process / "smaps_rollup").read_text().splitlines()
        if line.startswith("Pss:")
    )


def _is_our_renderer(process: Path) -> bool:
    try:
        if b"--type=renderer" not in (process / "cmdline").read_bytes():
            return False
        parent = int(process.name)
        while parent > 1 and parent != os.getpid():
            stat = Path(f"/proc/{parent}/stat").read_text()
            parent = int(stat.rsplit(")", 1)[1].split()[1])
    except OSError:  # it has just ended
        return False
    return parent == os.getpid()
