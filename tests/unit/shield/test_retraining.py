import pytest

from shield.errors import Invalid
from shield.retraining import RetrainingParameters, WatchParameters, checked, described, parsed


def test_what_is_given_is_passed_on_with_its_type_and_nothing_else() -> None:
    told = parsed(["epochs=4", "learning_rate=1", 'limits={"accuracyDrop": 0.01}', "start=base"])
    assert told == {
        "epochs": 4,
        "learning_rate": 1.0,
        "limits": {"accuracyDrop": 0.01},
        "start": "base",
    }
    # As Kubeflow returns numbers, and as Helm renders them.
    assert checked({"epochs": 4.0, "seed": "7"}) == {"epochs": 4, "seed": 7}


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("epoch=4", "There is no parameter epoch."),
        ("epochs=0", "epochs: Input should be greater than or equal to 1"),
        ("epochs=many", "epochs: Input should be a valid integer"),
        ("fpr_budget=1", "fpr_budget: Input should be less than 1"),
        ("start=anew", "start: Input should be 'champion', 'base' or 'better'"),
        ('limits={"accuracyDorp": 1}', "limits.accuracyDorp"),
        ('rollout={"steps": []}', "There is no parameter rollout"),
        ("alpha=0.1", "There is no parameter alpha."),
        ("epochs", "name=value"),
    ],
)
def test_a_wrong_parameter_is_refused_by_its_name_and_with_what_there_is(
    pair: str, said: str
) -> None:
    with pytest.raises(Invalid) as refused:
        parsed([pair])
    assert said in str(refused.value)
    assert "name=value" in said or "seed, epochs, " in str(refused.value)


def test_the_watch_takes_all_of_them_and_its_own() -> None:
    assert parsed(["alpha=0.1", "epochs=4"], WatchParameters) == {"alpha": 0.1, "epochs": 4}
    assert set(WatchParameters.model_fields) - set(RetrainingParameters.model_fields) == {"alpha"}


def test_every_parameter_says_what_it_means() -> None:
    assert all(row["meaning"] for row in described(WatchParameters))
