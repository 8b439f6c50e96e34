"""The documents of the contract suite are what its checks take them for."""

import pytest

from bench.verification.data import ODD_TEXTS, documents_of, with_unlabelled, with_unseen_label


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_every_label_has_documents_and_every_document_a_label(kind):
    data = documents_of(kind)
    data.check()
    for _, documents in data.splits():
        assert {label for row in documents.labels for label in row} == set(range(4))
        assert all(documents.labels)
        assert len(set(documents.texts)) == len(documents)


def test_some_documents_have_two_labels_where_they_may():
    assert {len(row) for row in documents_of("multi").train.labels} == {1, 2}


def test_the_special_cases_are_there():
    unseen, bare = with_unseen_label(documents_of("single")), with_unlabelled(documents_of("multi"))
    unseen.check()
    bare.check()
    assert len(unseen.labels) == 5
    assert 4 not in {label for row in unseen.train.labels for label in row}
    assert [] in bare.train.labels
    assert {label for row in bare.train.labels for label in row} == set(range(4))


def test_odd_texts_are_texts_that_the_harness_lets_through():
    assert all(text.strip() and text.encode() for text in ODD_TEXTS.values())
