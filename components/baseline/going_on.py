"""Go on from a champion: learn what is new, and leave the rest as it was said.

A model that is fitted anew moves every margin a little, and with it many verdicts near the
operating point, for no reason that a message gave. So what the champion has right pulls nowhere:
its own probability is the target. That is every base message that it has right, and every harmless
correction that it would not flag: the budget keeps the harmless, and what pulls a confirmed one
further down pulls scams with it. All else is taught by its label. The penalty is on the distance
from the champion, not from zero. Without anything new the champion itself is the optimum.

Sources: Li and Hoiem, "Learning without Forgetting" (2016), for the targets; Yan et al.,
"Positive-Congruent Training: Towards Regression-Free Model Updates" (2021), for taking only what
the old model has right.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from shield.linear import LinearModel
from shield.logistic import probability_of

STEPS = 500
"""Most steps of the optimiser; some 20 are usual."""


def moved(
    champion: LinearModel,
    rows: Any,
    rarity: NDArray[np.float64],
    scam: NDArray[np.bool_],
    weights: NDArray[np.float64],
    corrections: NDArray[np.bool_],
    unflagged: NDArray[np.bool_],
    penalty: float,
) -> LinearModel:
    """Return the champion, moved by what it does not know yet; its threshold is not set anew.

    Args:
        champion: Where the optimiser starts, and what the penalty pulls to.
        rows: Sparse matrix (n, buckets) of what teaches, by the champion's features.
        rarity: Shape (buckets,), what each n-gram is multiplied with before the penalty.
        scam: Shape (n,).
        weights: Shape (n,), how much each row counts.
        corrections: Shape (n,). True: from users.
        unflagged: Shape (n,). True: a harmless correction that the champion, as it serves, does not
            flag. A long text is served in windows, and taught as a whole.
        penalty: Inverse strength of the penalty, as that of a model fitted anew.
    """
    start = champion.weights.astype(np.float64)
    said = rows @ start + champion.bias
    # Of the base at even odds, where it was taught. A scam that users report teaches even where it
    # is caught: its next wording may say less.
    known = np.where(corrections, unflagged, (said >= 0) == scam)
    target = np.where(known, probability_of(said), scam)
    # Far fewer n-grams occur than there are buckets.
    used = np.unique(rows.indices)
    here = rows[:, used].multiply(rarity[used]).tocsr()
    back = here.T.tocsr()

    def loss(moves: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = said + here @ moves[:-1] + moves[-1]
        pull = weights * (probability_of(odds) - target)
        value = float(np.sum(weights * (np.logaddexp(0, odds) - target * odds)))
        slope = np.append(back @ pull, pull.sum()) + moves / penalty
        return value + float(moves @ moves) / (2 * penalty), slope

    moves = minimize(
        loss,
        np.zeros(used.size + 1),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": STEPS, "ftol": 1e-10, "gtol": 1e-5, "maxcor": 20},
    ).x
    start[used] += moves[:-1] * rarity[used]
    return LinearModel(
        start.astype(np.float16).astype(np.float32),
        champion.bias + float(moves[-1]),
        champion.threshold,
        champion.features,
    )
