"""What an audit costs, beside what any method does to the same documents."""

import random
import time
from collections.abc import Callable

import pytest

from bench.audit.duplicates import duplicates
from bench.audit.near_duplicates import near_duplicates
from bench.audit.sizes import sizes
from bench.task import Documents, LabelSpace, TaskData

WORDS = 60


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


def seconds(call: Callable[[], object], rounds: int = 3) -> float:
    """Best of several calls, in time of the processor: other work on the machine plays no part."""
    found = []
    for _ in range(rounds):
        started = time.process_time()
        call()
        found.append(time.process_time() - started)
    return min(found)


def fit_tfidf(data: TaskData) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    TfidfVectorizer().fit_transform([text for _, documents in data.splits() for text in documents.texts])


@pytest.mark.parametrize(
    ("what", "most"),
    [
        (lambda data: near_duplicates(data, lambda line: None), 12),
        (lambda data: (sizes(data), duplicates(data)), 0.6),
    ],
    ids=["near duplicates", "what planning measures"],
)
def test_time_beside_fitting_tfidf(data, what, most, record_property):
    fit_tfidf(data)
    ratio = seconds(lambda: what(data)) / seconds(lambda: fit_tfidf(data))
    record_property("ratio", round(ratio, 2))
    print(f"\n{ratio:.2f} times fitting TF-IDF over the same documents")
    assert ratio < most


def test_near_duplicates_take_linear_time(data, record_property):
    half = TaskData(
        data.train.take(range(4_500)),
        data.validation.take(range(500)),
        data.test.take(range(1_000)),
        data.labels,
        "single",
    )
    ratio = seconds(lambda: near_duplicates(data, lambda line: None)) / seconds(
        lambda: near_duplicates(half, lambda line: None)
    )
    record_property("ratio", round(ratio, 2))
    print(f"\ntwice the documents take {ratio:.2f} times as long")
    assert ratio < 3
