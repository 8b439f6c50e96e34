"""Every rule fires where it should, and nowhere else."""

import pytest
from audited_tasks import LABELS, audit_of, some_documents, some_text, sound

from bench.audit.facts import (
    Floor,
    Floors,
    LabelNames,
    NearDuplicates,
    Pair,
    Quantiles,
    Shared,
    Spread,
    TokenLengths,
    Tokens,
)
from bench.audit.findings import faults, findings, near_limit, percent
from bench.audit.label_names import label_names
from bench.audit.sizes import sizes
from bench.task import LabelSpace


def found(data, **parts):
    return {finding.name: finding for finding in findings(audit_of(data, **parts))}


def severity(data, name, **parts):
    finding = found(data, **parts).get(name)
    return finding and finding.severity


def test_a_sound_task_has_no_finding():
    data = sound()
    assert findings(audit_of(data, label_names=label_names(data))) == []


@pytest.mark.parametrize(("copies", "expected"), [(0, None), (1, "note"), (3, "fault")])
def test_test_texts_that_were_trained_on(copies, expected):
    test = some_documents("test", 200, texts=[some_text(f"train{i}") for i in range(copies)])
    assert severity(sound(test=test), "texts-across-splits") == expected


def test_a_copy_counts_whatever_its_case_and_whitespace():
    copy = some_text("train3").upper().replace(" ", "\n  ")
    finding = found(sound(test=some_documents("test", 40, texts=[copy])))["texts-across-splits"]
    assert finding.count == 1
    assert "2.5 %" in finding.what
    assert finding.remedy


def test_conflicting_labels():
    text = some_text("train0")
    same = some_documents("validation", 40, texts=[text], labels=[[0]])
    other = some_documents("validation", 40, texts=[text], labels=[[1]])
    assert severity(sound(validation=same), "conflicting-labels") is None
    assert severity(sound(validation=other), "conflicting-labels") == "fault"
    many = some_documents("train", 400)
    assert severity(sound(validation=other, train=many), "conflicting-labels") == "note"


@pytest.mark.parametrize(("count", "expected"), [(29, "fault"), (30, None)])
def test_few_test_documents(count, expected):
    assert severity(sound(test=some_documents("test", count)), "few-test-documents") == expected


@pytest.mark.parametrize(("ruled", "expected"), [(56, None), (57, "fault")])
def test_one_label_on_nearly_everything(ruled, expected):  # one of the last three has it too
    train = some_documents("train", 60, labels=[[0]] * ruled)
    assert severity(sound(train=train), "ruling-label") == expected


def test_a_ruling_label_is_a_note_where_the_metric_counts_every_label_alike():
    train = some_documents("train", 60, labels=[[0]] * 57)
    finding = found(sound(train=train, primary_metric="macro_f1"))["ruling-label"]
    assert finding.severity == "note"
    assert "macro_f1" not in finding.remedy


def test_labels_in_test_only():
    space = LabelSpace((*LABELS, "fax"))
    once = sound(labels=space, test=some_documents("test", 40, labels=[[3]]))
    assert severity(once, "labels-only-in-test") == "fault"
    seldom = sound(labels=space, test=some_documents("test", 200, labels=[[3]]))
    assert severity(seldom, "labels-only-in-test") == "note"
    trained = sound(labels=space, train=some_documents("train", 60, labels=[[3]]))
    assert severity(trained, "labels-only-in-test") is None


def test_labels_on_no_document():
    finding = found(sound(labels=LabelSpace((*LABELS, "fax", "telex"))))["empty-labels"]
    assert (finding.severity, finding.count) == ("note", 2)


@pytest.mark.parametrize(("repeats", "expected"), [(1, None), (3, "note")])
def test_texts_repeated_within_a_split(repeats, expected):
    train = some_documents("train", 200, texts=["one and the same"] * (repeats + 1), labels=[[0]] * (repeats + 1))
    assert severity(sound(train=train), "repeated-texts") == expected


@pytest.mark.parametrize(("skipped", "expected"), [(7, None), (8, "note")])
def test_records_left_out(skipped, expected):
    assert severity(sound(skipped={"no text": skipped}), "skipped-records") == expected


@pytest.mark.parametrize(("source", "expected"), [({"train": 900, "validation": 40, "test": 40}, None), (None, "note")])
def test_records_left_out_are_compared_with_the_documents_before_a_limit(source, expected):
    data = sound(skipped={"no text": 40})
    audit = audit_of(data).model_copy(update={"sizes": sizes(data, source)})
    assert [finding.severity for finding in findings(audit) if finding.name == "skipped-records"] == [expected] * bool(
        expected
    )


def test_unread_files():
    assert severity(sound(skipped_files=("a.xml",)), "unread-files") == "note"


def near(copies, other_labels=0, documents=100, given_up=0):
    example = Pair(ids=("a", "b"), similarity=0.9)
    return NearDuplicates(
        threshold=0.8,
        shingle_words=3,
        permutations=128,
        looked_at={"test": documents},
        shared={
            "test": Shared(
                documents=copies, share=copies / documents, other_labels=other_labels, examples=[example] * bool(copies)
            )
        },
        given_up={"test": given_up},
    )


@pytest.mark.parametrize(
    ("copies", "other_labels", "expected"), [(0, 0, None), (5, 0, "note"), (6, 0, "fault"), (9, 4, "note")]
)
def test_near_duplicates_across_splits(copies, other_labels, expected):
    finding = found(sound(), near_duplicates=near(copies, other_labels)).get("near-duplicates-across-splits")
    assert (finding and finding.severity) == expected
    assert not other_labels or f"{other_labels} of them with other labels" in finding.what


@pytest.mark.parametrize(("copies", "expected"), [(43, "note"), (44, "fault")])
def test_near_duplicates_mislead_sooner_where_the_split_is_large(copies, expected):
    large = sound(test=some_documents("test", 2000))
    parts = near(copies, documents=1000)  # a sample; 1.96 / sqrt(2000) is 4.38 %
    assert severity(large, "near-duplicates-across-splits", near_duplicates=parts) == expected


def test_the_limit_of_near_duplicates_is_the_half_width_of_the_interval_at_a_half():
    assert near_limit(10_000) == pytest.approx(0.0196)
    for documents in (1600, 10_000):
        share, right = near_limit(documents), 0.5
        assert share * (1 - right) == pytest.approx(1.96 * (right * (1 - right) / documents) ** 0.5)
    assert near_limit(30) == near_limit(1000) == 0.05


def test_what_was_given_up_on_is_a_note():
    assert found(sound(), near_duplicates=near(0)).get("too-many-alike") is None
    finding = found(sound(), near_duplicates=near(0, given_up=7))["too-many-alike"]
    assert (finding.severity, finding.count) == ("note", 7)


@pytest.mark.parametrize(
    ("own", "chance", "expected"),
    [
        (0.3, 0.25, None),
        (0.3, 0.16, "note"),
        (0.326, 0.026, "note"),
        (0.94, 0.9, "note"),
        (0.99, 0.9, "fault"),
        (0.7, 0.1, "fault"),
        (1.0, 1.0, None),
    ],
)
def test_label_names_in_texts(own, chance, expected):
    names = LabelNames(documents=100, own=own, chance=chance, labels=[])
    assert severity(sound(), "label-names-in-texts", label_names=names) == expected


@pytest.mark.parametrize(("share", "expected"), [(0.2, None), (0.21, "note")])
def test_truncation_at_512_tokens(share, expected):
    lengths = Quantiles(p50=1, p90=1, p95=1, p99=1, longest=1)
    split = TokenLengths(documents=100, lengths=lengths, truncated={512: share}, lost={512: 0.1})
    tokens = Tokens(model="m", tokenizer="t", splits={"test": split})
    assert severity(sound(), "truncation", tokens=tokens) == expected


@pytest.mark.parametrize(
    ("linear", "shuffled", "expected"),
    [
        (0.8, (0.3, 0.02), set()),
        (0.995, (0.3, 0.02), {"trivial"}),
        (0.33, (0.3, 0.02), {"words-tell-nothing"}),
        (0.35, (0.3, 0.02), set()),
        (None, None, set()),
    ],
)
def test_floors(linear, shuffled, expected):
    floors = Floors(
        metric="micro_f1",
        prior=Floor(value=0.3),
        linear=Floor(value=linear),
        shuffled=shuffled and Spread(mean=shuffled[0], deviation=shuffled[1]),
        train_documents=9,
        validation_documents=9,
        labels=3,
    )
    assert set(found(sound(), floors=floors)) == expected


def test_faults_stand_first_and_are_told_apart():
    data = sound(test=some_documents("test", 20), skipped={"no text": 90})
    assert [finding.severity for finding in findings(audit_of(data))] == ["fault", "note"]
    assert [finding.name for finding in faults(audit_of(data))] == ["few-test-documents"]


def test_a_small_share_never_looks_like_none():
    assert [percent(share) for share in (0, 0.00004, 0.0004, 0.042, 1)] == [
        "0.0 %",
        "0.004 %",
        "0.04 %",
        "4.2 %",
        "100.0 %",
    ]
