# %% [markdown]
# # Load a package and judge
#
# A version is a directory: `shieldctl model show sms` names it under `package`, below the artifact
# store (on a laptop `artifacts/` in the data directory). Run this cell by cell in an editor that
# knows percent-format notebooks (VS Code, PyCharm, Jupyter with jupytext), or as a script:
#
#     python docs/notebooks/first_steps.py PACKAGE

# %%
import sys
from pathlib import Path

folder = Path(sys.argv[1])

# %% [markdown]
# Three lines. A probability of one half is the operating point of every version: from there on a
# message is flagged.

# %%
from shield.packages import ModelPackage
from shield.predictor import Predictor

print(Predictor(ModelPackage.open(folder)).probabilities(["You won! Claim at http://win.example"]))

# %% [markdown]
# What else the package says: labels, how it was trained, what its evaluation found.

# %%
package = ModelPackage.open(folder)
predictor = Predictor(package)
manifest = package.manifest
print(package.digest, manifest.model_type, manifest.labels)
print("recipe:", manifest.recipe)
print("figures:", dict(sorted(manifest.metrics.items())[:8]))

# %% [markdown]
# Many messages at once, whatever they look like: disguises are folded before the model reads them.

# %%
for text in (
    "Ok, see you at seven",
    "Your account is locked, verify at http://bank.example",
    "Y0ur acc0unt is l\u043ecked, ver\u200bify at http://bank.example",
    "",
):
    (score,) = predictor.probabilities([text])
    print(f"{score:6.1%} {manifest.labels[int(score >= 0.5)]:>10}  {text!r}")
