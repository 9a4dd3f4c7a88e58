"""Seconds per 1,000 messages and epoch against the naive recipe in the same minute."""

import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import torch

from bench.learning.lab import WORK, Lab, sms_heads, table
from bench.learning.naive import BATCH, MAX_TOKENS
from bench.learning.outcome import Aim, Outcome, Scale
from components.environment import StepSettings
from components.train import step as train_step
from components.train.base_model import base_directory
from components.train.encoder import load_classifier, load_tokenizer, token_ids
from components.train.recipe import Recipe
from shield.labels import ModelType
from shield.metrics import count
from shield.predictor import Predictor


def run(scale: Scale) -> Outcome:
    """Train on the same messages for the same epochs, by turns, and compare time and F1."""
    rng = np.random.default_rng(0)
    heads = sms_heads()
    many = scale.pick(1000, 120)
    scams = heads.filter(pl.col("label") == 1)["text"].to_list()
    hams = heads.filter(pl.col("label") == 0)["text"].to_list()
    rng.shuffle(scams)
    rng.shuffle(hams)
    a, b = many // 4, many - many // 4
    train = table([*scams[:a], *hams[:b]], [1] * a + [0] * b, "train")
    rest_s, rest_h = scams[a : a + 240], hams[b : b + scale.pick(1400, 200)]
    half_s, half_h = len(rest_s) // 2, len(rest_h) // 2
    valid = table([*rest_s[:half_s], *rest_h[:half_h]], [1] * half_s + [0] * half_h, "valid")
    test_s, test_h = rest_s[half_s:], rest_h[half_h:]
    golden = table([*test_s, *test_h], [1] * len(test_s) + [0] * len(test_h), "golden")
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as name:
        folder = Path(name)
        lab = Lab(folder, ModelType.SMS, {"train": train, "valid": valid, "golden": golden})
        ours, ours_f1, ours_all, tokens = _ours(lab, folder)
    naive, naive_f1 = _naive(train, golden)
    ratio = naive / ours
    whole = ours_all
    return Outcome(
        {
            "messages": many,
            "mean_tokens": tokens,
            "threads": 2,
            "ours_seconds_per_1000_and_epoch": round(ours, 2),
            "naive_seconds_per_1000_and_epoch": round(naive, 2),
            "ratio": round(ratio, 2),
            "ours_f1": round(ours_f1, 4),
            "naive_f1": round(naive_f1, 4),
            "ours_whole_step_seconds": round(whole, 1),
        },
        [
            Aim(
                "speed: against the naive recipe",
                ">= 4.5 times faster at equal F1 +- 0.3",
                f"{ratio:.1f} times ({naive:.1f} against {ours:.1f} s per 1,000 messages and "
                f"epoch); F1 {100 * ours_f1:.1f} against {100 * naive_f1:.1f}",
                ratio >= 4.5 and 100 * ours_f1 >= 100 * naive_f1 - 0.3,
                f"Naive: padded to {MAX_TOKENS} tokens, batches of {BATCH}, all weights trained.",
            ),
            Aim(
                "speed: a retraining of 1,000 messages, export and threshold included",
                "<= 120 s on 2 cores",
                f"{whole:.0f} s for {many} messages in {Recipe().epochs} epochs",
                whole <= 120 and not scale.short,
                "Other work ran on the same two cores.",
            ),
        ],
    )


def _ours(lab: Lab, folder: Path) -> tuple[float, float, float, float]:
    recipe, package = Recipe(threads=2), folder / "package"
    package.mkdir()
    dataset = lab.first_dataset()
    checkpoints = folder / "checkpoints"
    started = time.perf_counter()
    opened = train_step.run(
        dataset,
        None,
        package,
        settings=StepSettings(checkpoint_dir=checkpoints, api_url=None),
        recipe=recipe,
        run_id="bench",
        created_at=None,
    )
    whole = time.perf_counter() - started
    kept = torch.load(next(checkpoints.rglob("checkpoint.pt")), weights_only=True)
    seconds = sum(kept["curves"]["seconds"])
    shutil.rmtree(checkpoints)
    n = lab.base["train"].height
    tokenizer = load_tokenizer(base_directory(StepSettings()), MAX_TOKENS)
    rows = token_ids(tokenizer, lab.base["train"]["text"].to_list())
    golden = lab.base["golden"]
    scores = Predictor(opened, threads=2).probabilities(golden["text"].to_list())
    f1 = count(golden["label"].to_numpy() == 1, scores >= 0.5).f1 or 0.0
    return (
        seconds / recipe.epochs / n * 1000,
        f1,
        whole,
        round(float(np.mean([*map(len, rows)])), 1),
    )


def _naive(train: pl.DataFrame, golden: pl.DataFrame) -> tuple[float, float]:
    """Time one naive epoch, and take F1 after as many epochs and at the same rate as ours."""
    recipe = Recipe(threads=2)
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(0)
    start = base_directory(StepSettings())
    model, tokenizer = load_classifier(start), load_tokenizer(start, MAX_TOKENS)

    def padded(texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        ids = torch.zeros((len(texts), MAX_TOKENS), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for place, row in enumerate(token_ids(tokenizer, texts)):
            ids[place, : len(row)], mask[place, : len(row)] = torch.tensor(row), 1
        return ids, mask

    ids, mask = padded(train["text"].to_list())
    labels = torch.tensor(train["label"].to_list(), dtype=torch.long)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5)
    model.train()
    started = time.perf_counter()
    for _ in range(recipe.epochs):
        for chosen in torch.split(torch.randperm(len(labels)), BATCH):
            logits = model(input_ids=ids[chosen], attention_mask=mask[chosen]).logits
            loss = torch.nn.functional.cross_entropy(logits, labels[chosen])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    seconds = (time.perf_counter() - started) / recipe.epochs / len(labels) * 1000
    model.eval()
    ids, mask = padded(golden["text"].to_list())
    with torch.inference_mode():
        flagged = [
            model(input_ids=i, attention_mask=m).logits.argmax(1)
            for i, m in zip(torch.split(ids, 64), torch.split(mask, 64), strict=True)
        ]
    found = torch.cat(flagged).numpy() == 1
    return seconds, count(golden["label"].to_numpy() == 1, found).f1 or 0.0
