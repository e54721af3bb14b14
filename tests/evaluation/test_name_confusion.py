"""How many known squats and how many ordinary names the name alone makes suspicious."""

import csv
from pathlib import Path

from indexgate.sources import popular
from tests.evaluation.adapters import confusability

HERE = Path(__file__).parent
WORKING_POINT = 0.5


def test_most_known_squats_are_confusable_with_their_target_and_few_ordinary_names_are() -> None:
    judge = confusability(list(popular.read()))
    with (HERE / "name-pairs.tsv").open(encoding="utf-8", newline="") as file:
        pairs = [(row["squat"], row["target"]) for row in csv.DictReader(file, delimiter="\t")]
    found = [(target, *judge(squat)) for squat, target in pairs]
    hits = [(target, imitated) for target, score, imitated in found if score >= WORKING_POINT]
    right = [imitated for target, imitated in hits if target == imitated]
    names = (HERE / "ordinary-names.txt").read_text(encoding="utf-8").split()
    alarms = [name for name in names if judge(name)[0] >= WORKING_POINT]

    assert len(hits) / len(pairs) >= 0.75
    assert len(right) / len(hits) >= 0.9
    assert len(alarms) / len(names) <= 0.03
