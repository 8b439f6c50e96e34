"""Whether documents get the same alone as among others is noted, with and without scores."""

import numpy as np
import pytest

from bench.prediction import LabelSets, Scores, TopScores, rank, sets_matrix
from bench.predictions_file import SplitPredictions
from bench.runner.alone import Alone

SCORES = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
PLACES = list(range(39, 9, -1))


def judged(ranking=True):
    predicted = sets_matrix([[int(row.argmax())] for row in SCORES], 5)
    return SplitPredictions(
        [str(n) for n in range(40)], predicted, predicted, rank(Scores(SCORES)) if ranking else None
    )


def alone(answer):
    """After two to warm up, as latency is measured."""
    asked = Alone(lambda text: answer(int(text)))
    for place in [*PLACES[:2], *PLACES]:
        asked.label(str(place))
    return asked


def test_the_same_answers_do_not_stray():
    found = alone(lambda place: Scores(SCORES[place : place + 1])).beside(judged(), PLACES)
    assert (found["documents"], found["changed_share"], found["greatest_difference"]) == (30, 0.0, 0.0)
    assert found["strays"] is False


def test_scores_that_depend_on_neighbours_stray():
    def moved(place):
        return Scores(SCORES[place : place + 1] + np.array([[0, 0, 0, 0, float(place == 20)]], dtype=np.float32))

    found = alone(moved).beside(judged(), PLACES)
    assert found["greatest_difference"] == pytest.approx(1.0)
    assert found["strays"] is True


def test_top_scores_are_compared_as_far_as_they_go():
    from scipy.sparse import csr_matrix

    found = alone(lambda place: TopScores(csr_matrix(SCORES[place : place + 1] * (SCORES[place] > 0)))).beside(
        judged(), PLACES
    )
    assert found["greatest_difference"] == 0.0


@pytest.mark.parametrize(("wrong", "strays"), [(0, False), (1, False), (10, True)])
def test_label_sets_have_a_share_that_changed(wrong, strays):
    def answer(place):
        label = int(SCORES[place].argmax())
        return LabelSets([[(label + (place < 10 + wrong)) % 5]], [""])

    found = alone(answer).beside(judged(ranking=False), PLACES)
    assert found == {"documents": 30, "changed_share": wrong / 30, "strays": strays}
