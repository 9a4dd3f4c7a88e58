# %% [markdown]
# # Try a component
#
# A step is a plain function over files, so it runs here as it runs in Kubeflow: the first three
# steps of a judgement, one after the other, without a cluster, a server or a graph.
#
#     python docs/notebooks/try_a_component.py DATASET PACKAGE OUT

# %%
import sys
from pathlib import Path

from components.baseline import step as baseline
from components.evaluate import step as evaluate
from components.gate import step as gate
from shield.gates import GateLimits

dataset, package, out = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
out.mkdir(parents=True, exist_ok=True)

# %% [markdown]
# `baseline` fits the linear yardstick; change its features in `components/baseline/` and run the
# cell again.

# %%
linear = baseline.run(dataset, out / "linear.safetensors")
print("a scam?", linear.probabilities(["win a free prize now"]).round(3))

# %% [markdown]
# `evaluate` judges a package beside it, and writes what the gates read and a report for people.

# %%
limits = GateLimits.model_validate({"minFeedback": 0})
judged = evaluate.run(
    dataset,
    package,
    None,  # the champion's package, if there is one
    out / "evaluations.json",
    out / "report.html",
    baseline=out / "linear.safetensors",
    limits=limits,
)
print("golden:", judged.gate_input.golden.challenger)

# %% [markdown]
# `gate` asks the promotion policy. Try other limits; nothing is registered here.

# %%
decision = gate.run(out / "evaluations.json", out / "verdict.json", limits=limits)
print(gate.as_markdown(decision))
