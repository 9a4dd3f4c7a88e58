# %% [markdown]
# # Look into a dataset
#
# `python -m components.build_dataset runs/.../collect/inputs dataset` builds the dataset of a run
# again (it holds people's messages: delete it when you are done). Then:
#
#     python docs/notebooks/look_into_a_dataset.py dataset

# %%
import sys
from pathlib import Path

import polars as pl

from components.evaluate.sets import JUDGED
from components.shared import messages
from shield.run_files import DATASET, DatasetFacts

folder = Path(sys.argv[1])

# %% [markdown]
# What it says of itself: where corrections come from, and what was left out and why.

# %%
facts = DatasetFacts.read(folder / DATASET)
print(
    facts.model_type, "batches:", facts.batches or "none", "set aside:", facts.set_aside or "none"
)

# %% [markdown]
# Its sets: what teaches, what sets the operating point, what judges.

# %%
tables = {}
for name in ("train", "valid", *JUDGED):
    if (folder / f"{name}.parquet").is_file():
        tables[name] = messages.read(folder / f"{name}.parquet")
        scams = tables[name]["label"].sum()
        print(f"{name:14} {tables[name].height:7} messages, {scams:6} scams")

# %% [markdown]
# By source and language; and the longest campaign, since many copies teach little.

# %%
train = tables["train"]
print(train.group_by("source", "language").len().sort("len", descending=True).head(10))
print(train.group_by("campaign").len().sort("len", descending=True).head(3))

# %% [markdown]
# Nothing that judges may teach: no campaign stands on both sides.

# %%
taught = set(train["campaign"].drop_nulls()) - {""}
for name in JUDGED:
    if name in tables:
        leaked = tables[name].filter(pl.col("campaign").is_in(list(taught))).height
        print(f"{name:14} {leaked} messages of campaigns that teach")
