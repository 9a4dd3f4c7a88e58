# %% [markdown]
# # Train with another recipe
#
# The same code as the step `train`: what comes out is a package that can be judged, compared and
# proposed. `BASE` is `minilm`, `multilingual`, or the directory of any Hugging Face encoder.
#
#     python docs/notebooks/train_another_recipe.py DATASET BASE OUT

# %%
import sys
from pathlib import Path

from components.baseline import step as baseline
from components.shared.environment import StepSettings
from components.train import step as train
from components.train.recipe import Recipe
from shield.predictor import Predictor

dataset, base, out = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
out.mkdir(parents=True, exist_ok=True)

# %% [markdown]
# The linear half first; it is trained on the same data, and averaged with the encoder.

# %%
baseline.run(dataset, out / "linear.safetensors")

# %% [markdown]
# Every choice has a default (`Recipe`); this one goes through the data once, in short rows.

# %%
recipe = Recipe(epochs=1, learning_rate=3e-3, max_tokens=32, token_budget=256, threads=1)
package = train.run(
    dataset,
    None,  # a champion's package to go on from; None: from the base
    out / "model",
    settings=StepSettings(base_model=base, threads=1),
    recipe=recipe,
    run_id=None,
    created_at=None,
    linear=out / "linear.safetensors",
    curves=out / "curves.html",
)

# %% [markdown]
# The loss curves are in `curves.html`. Judge it at once, or beside another one: `compare.py`.

# %%
print(package.digest, package.manifest.recipe["epochs"], "epoch")
print(Predictor(package).probabilities(["win a free prize now", "see you at home"]).round(3))
