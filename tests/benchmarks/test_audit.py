"""What an audit costs, beside what any method does to the same documents."""

import random
import time

import pytest

from bench.audit.duplicates import duplicates
from bench.audit.near_duplicates import near_duplicates
from bench.audit.sizes import sizes
from bench.task import Documents, LabelSpace, TaskData

WORDS = 60

# Other work on the machine plays no part.
pytestmark = [pytest.mark.quick, pytest.mark.benchmark(timer=time.process_time)]


@pytest.fixture(scope="module")
def data() -> TaskData:
    """12,000 texts of 60 words by Zipf's law; every tenth test text is an edited training text."""
    rng = random.Random(0)

    def split(name: str, count: int) -> Documents:
        texts = [" ".join(f"w{int(rng.paretovariate(0.7)) % 40_000}" for _ in range(WORDS)) for _ in range(count)]
        return Documents([f"{name}{i}" for i in range(count)], texts, [[i % 20] for i in range(count)])

    train, validation, test = split("a", 9_000), split("b", 1_000), split("c", 2_000)
    for i in range(0, len(test), 10):
        test.texts[i] = train.texts[i] + " edited"  # type: ignore[index]
    return TaskData(train, validation, test, LabelSpace(tuple(map(str, range(20)))), "single")


def fit_tfidf(data: TaskData) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    TfidfVectorizer().fit_transform([text for _, documents in data.splits() for text in documents.texts])


@pytest.mark.parametrize(
    ("name", "what", "most"),
    [
        ("near duplicates", lambda data: near_duplicates(data, lambda line: None), 12),
        ("what planning measures of a task", lambda data: (sizes(data), duplicates(data)), 0.6),
    ],
    ids=["near duplicates", "planning"],
)
def test_time_beside_fitting_tfidf(data, name, what, most, figure, in_turns):
    (ours, _), (reference, _) = in_turns(lambda: what(data), lambda: fit_tfidf(data), rounds=3)
    figure(f"{name}, time beside fitting TF-IDF", ours / reference, most=most, seen=f"{ours:.2f} s")


def test_near_duplicates_take_linear_time(data, figure, in_turns):
    half = TaskData(
        data.train.take(range(4_500)),
        data.validation.take(range(500)),
        data.test.take(range(1_000)),
        data.labels,
        "single",
    )
    (whole, _), (part, _) = in_turns(*(lambda of=of: near_duplicates(of, lambda line: None) for of in (data, half)))
    figure("near duplicates, time of twice the documents", whole / part, most=3, seen=f"{whole:.2f} s")
