# %% [markdown]
# # Compare two versions
#
# On messages of your own, by the very files that would serve. Run it cell by cell in an editor that
# knows percent-format notebooks (VS Code, PyCharm, Jupyter with jupytext), or as a script:
#
#     python docs/notebooks/compare.py OLD_PACKAGE NEW_PACKAGE MESSAGES.csv
#
# `MESSAGES.csv` has the columns `text` and `label` (1 = scam). For two versions of a registry,
# `shieldctl model compare sms-v3 sms-v4` needs no files: it compares what their evaluations said.

# %%
import csv
import sys
from pathlib import Path

from shield.comparison import Judged, compare

old, new, table = map(Path, sys.argv[1:4])

# %%
with table.open(newline="", encoding="utf-8") as file:
    rows = list(csv.DictReader(file))
messages = [(row["text"], row["label"] == "1") for row in rows]
length = ["short" if len(text) <= 60 else "long" for text, _ in messages]

# %% [markdown]
# Each is judged once; the kinds may be anything that you can say of a message.

# %%
before = Judged.of_package(old, messages, name="before", kinds={"length": length})
after = Judged.of_package(new, messages, name="after", kinds={"length": length})
found = compare(before, after)

# %% [markdown]
# Figures, with the interval of the change over pairs: a message that both get right, or both get
# wrong, says nothing.

# %%
for part in [*found.sets, *found.slices]:
    for figure in part.figures:
        print(
            f"{part.name:16} {figure.figure:16} {figure.old:7.1%} -> {figure.new:7.1%}  "
            f"{100 * figure.change:+.1f} [{100 * figure.low:+.1f}, {100 * figure.high:+.1f}]"
        )

# %% [markdown]
# Messages that changed sides, and what differs in how the two were made.

# %%
for one in found.moved[:20]:
    print("right now" if one.won else "wrong now", f"{one.old:.2f} -> {one.new:.2f}", one.text[:80])
for difference in [*found.recipe, *found.data]:
    print(f"{difference.name}: {difference.old} -> {difference.new}")
