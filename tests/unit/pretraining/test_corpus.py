"""Nothing that is validated or tested on is ever learnt from."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bench.errors import UserError
from bench.pretraining.corpus import gather
from bench.task import Documents, LabelSpace, TaskData


def task(train: Sequence[str], validation: Sequence[str], test: Sequence[str]) -> TaskData:
    """Documents written ``id=text``."""

    def documents(words: Sequence[str]) -> Documents:
        pairs = [word.split("=") for word in words]
        return Documents([id_ for id_, _ in pairs], [text for _, text in pairs], [[0] for _ in pairs])

    return TaskData(
        documents(train), documents(validation), documents(test), labels=LabelSpace(("a", "b")), kind="single"
    )


def test_training_documents_of_all_tasks_each_once() -> None:
    corpus = gather(
        {
            "one": task(["b=two", "a=one"], ["v=five"], ["t=six"]),
            "other": task(["a=one", "c=one", "d=four"], ["w=seven"], ["u=eight"]),
        }
    )
    assert dict(corpus.train) == {"a": "one", "b": "two", "d": "four"}
    assert list(corpus.train) == ["a", "b", "d"]
    assert dict(corpus.validation) == {"v": "five", "w": "seven"}
    assert corpus.left_out == 0


@pytest.mark.parametrize("split", ["validation", "test"])
@pytest.mark.parametrize("held_out", ["a=another text", "other-id=one"])
def test_what_another_task_holds_out_is_left_out_by_id_and_by_text(split: str, held_out: str) -> None:
    second = {"validation": ["w=seven"], "test": ["u=eight"], split: [held_out]}
    corpus = gather(
        {
            "one": task(["a=one", "b=two"], ["v=five"], ["t=six"]),
            "other": task(["d=four"], second["validation"], second["test"]),
        }
    )
    assert dict(corpus.train) == {"b": "two", "d": "four"}
    assert corpus.left_out == 1


def test_the_fingerprint_follows_the_text() -> None:
    first = gather({"one": task(["a=one"], ["v=five"], ["t=six"])})
    same = gather({"renamed": task(["a=one"], ["v=five"], ["t=other"])})
    other = gather({"one": task(["a=one!"], ["v=five"], ["t=six"])})
    assert first.fingerprint == same.fingerprint != other.fingerprint


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(UserError, match="no training document"):
        gather({"one": task(["a=one"], ["v=five"], ["t=one"])})
