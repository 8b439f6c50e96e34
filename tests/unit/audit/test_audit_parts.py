"""What each part measures, on tasks small enough to count by hand."""

import json
import random
from dataclasses import replace

import pytest
from audited_tasks import LABELS, audit_of, edited, shuffled, some_documents, some_text, sound
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.audit.duplicates import duplicates
from bench.audit.facts import Audit
from bench.audit.findings import findings
from bench.audit.floors import floors
from bench.audit.label_names import NameFinder, label_names
from bench.audit.lengths import LIMITS, TokenizerFile, tokens, words
from bench.audit.near_duplicates import near_duplicates
from bench.audit.sizes import sizes
from bench.embedded import folder
from bench.errors import UserError
from bench.task import Documents, LabelSpace, TaskData


def quiet(line):
    """Nobody listens."""


def multi(rows, n_labels=4, **parts):
    """A multi-label task with these label rows in training; validation and test have label 0 and no other."""
    train = Documents([f"a{i}" for i in range(len(rows))], [f"text {i}" for i in range(len(rows))], rows)
    held_out = [Documents([f"{name}0"], [f"{name} text"], [[0]]) for name in ("v", "t")]
    return replace(TaskData(train, *held_out, LabelSpace(tuple("abcdefgh"[:n_labels])), "multi"), **parts)


def test_sizes_count_documents_and_labels():
    found = sizes(multi([[0], [0, 1], [], [0, 1, 2]]))
    assert found.documents == {"train": 4, "validation": 1, "test": 1}
    assert found.cardinality["train"] == 1.5
    assert found.density["train"] == 1.5 / 4
    assert found.labels_present == {"train": 3, "validation": 1, "test": 1}
    assert found.unlabelled["train"] == 1
    assert found.empty_labels == 1
    assert found.frequent_labels == {"a": 3, "b": 2, "c": 1}
    assert list(found.rare_labels) == ["c", "b", "a"]
    assert found.imbalance.largest_share == 0.75
    assert found.imbalance.ratio == 3


def test_labels_are_grouped_by_training_documents_and_cover_the_test_documents():
    rows = [[0]] * 101 + [[1]] * 100 + [[2]]
    test = Documents(["t0", "t1", "t2", "t3"], ["1", "2", "3", "4"], [[0], [0, 1], [2], [3]])
    tail = {group.name: (group.labels, group.test_share) for group in sizes(multi(rows, test=test)).tail}
    assert tail == {"head": (1, 0.5), "torso": (1, 0.25), "tail": (1, 0.25), "unseen": (1, 0.25)}


def test_evenness_is_one_for_equal_labels_and_falls_as_one_rules():
    assert sizes(multi([[0], [1], [2], [3]])).imbalance.evenness == pytest.approx(1)
    assert sizes(multi([[0]] * 97 + [[1], [2], [3]])).imbalance.evenness < 0.2


def test_a_hierarchy_is_counted_by_level():
    space = LabelSpace(("A01", "A02", "B01"), (("A",), ("A",), ("B",)))
    assert sizes(sound()).hierarchy is None
    hierarchy = sizes(sound(labels=space)).hierarchy
    assert (hierarchy.depth, hierarchy.nodes) == (2, [2, 3])


def test_a_hundred_thousand_labels_stay_sparse():
    names = tuple(f"label {i}" for i in range(100_000))
    data = sound(labels=LabelSpace(names), kind="multi")
    audit = audit_of(data, label_names=label_names(data))
    assert audit.sizes.empty_labels == 99_997
    assert audit.label_names.own == 0


def test_words_are_counted_between_whitespace():
    data = multi([[0]] * 4)
    texts = ["one", "one two", "one\n two  three", "a b c d e f g h i j"]
    lengths = words(replace(data, train=replace(data.train, texts=texts)))["train"]
    assert (lengths.p50, lengths.p99, lengths.longest) == (2, 10, 10)


def test_tokens_are_those_of_the_model_with_its_special_ones():
    from tokenizers import Tokenizer

    backend = Tokenizer.from_file(str(folder("embedded-encoder") / "tokenizer.json"))
    texts = [some_text(i, 20 * i) for i in range(1, 31)]
    data = sound(test=some_documents("test", 30, texts=texts))
    counts = [len(backend.encode(text).ids) for text in texts]
    found = tokens(data, TokenizerFile.of("embedded-encoder")).splits["test"]
    assert found.lengths.longest == max(counts)
    for limit in LIMITS:
        assert found.truncated[limit] == sum(count > limit for count in counts) / 30
        assert found.lost[limit] == pytest.approx(sum(max(0, c - limit) for c in counts) / sum(counts))


@pytest.mark.parametrize(("content", "said"), [(None, "no tokenizer.json"), ("{", "cannot be read as a tokenizer")])
def test_a_model_without_a_readable_tokenizer_is_named(tmp_path, content, said):
    (tmp_path / "config.json").write_text("{}")
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(UserError, match=said):
        tokens(sound(), TokenizerFile.of(str(tmp_path)))


def test_a_model_that_is_not_here_is_named_with_the_remedy():
    with pytest.raises(UserError, match="bench prepare nobody/nothing"):
        TokenizerFile.of("nobody/nothing")


def test_duplicates_are_counted_once_each_in_the_later_split():
    copy = some_text("train0")
    data = sound(
        validation=some_documents("validation", 40, texts=[copy], labels=[[0]]),
        test=some_documents("test", 40, texts=[copy, copy.title(), some_text("validation5")], labels=[[0], [1], [2]]),
    )
    found = duplicates(data)
    assert found.shared["validation"].documents == 1
    assert (found.shared["test"].documents, found.shared["test"].share) == (3, 3 / 40)
    assert found.shared["test"].other_labels == 1
    assert [pair.ids for pair in found.shared["test"].examples] == [
        ("test-000", "train-000"),
        ("test-001", "train-000"),
        ("test-002", "validation-005"),
    ]
    assert found.repeated == {"train": 0, "validation": 0, "test": 1}
    assert found.conflicting == 4
    assert duplicates(sound()).shared["test"].documents == 0


def test_a_copy_has_other_labels_where_no_earlier_copy_has_its_own():
    text = some_text("train0")
    train = some_documents("train", 60, texts=[text, text], labels=[[0], [1]])
    test = some_documents("test", 40, texts=[text, text], labels=[[1], [2]])
    found = duplicates(sound(train=train, test=test)).shared["test"]
    assert (found.documents, found.other_labels) == (2, 1)
    assert [pair.ids for pair in found.examples] == [("test-000", "train-001"), ("test-001", "train-000")]


def test_names_are_whole_words_whatever_their_case():
    finder = NameFinder(["A01B", "billing", "role::shared-lib", "New York", "!!"])
    assert finder.find("See A01b 1/00.") == {0}
    assert finder.find("rebilling, billings") == frozenset()
    assert finder.find("a Shared-Lib of New-York; BILLING!") == {1, 2, 3}
    assert finder.find("new in york") == frozenset()


def test_names_with_underscores_are_found_however_the_text_parts_them():
    finder = NameFinder(["card_arrival", "top up"])
    assert finder.find("When is my Card Arrival?") == finder.find("intent: card_arrival") == {0}
    assert finder.find("a top_up") == {1}


def test_texts_that_name_their_label_are_told_from_those_that_name_any():
    def with_words(pick):
        parts = {}
        for split, count in (("train", 60), ("validation", 40), ("test", 40)):
            plain = some_documents(split, count)
            texts = [
                f"{text} {pick(i, row[0])}" for i, (text, row) in enumerate(zip(plain.texts, plain.labels, strict=True))
            ]
            parts[split] = replace(plain, texts=texts)
        return label_names(sound(**parts))

    leaking = with_words(lambda i, label: LABELS[label])
    assert leaking.own == 1
    assert leaking.chance == pytest.approx(1 / 3, abs=0.08)
    assert {row.name: (row.own, row.others) for row in leaking.labels} == dict.fromkeys(LABELS, (1, 0))
    by_chance = with_words(lambda i, label: LABELS[i // 3 % 3])
    assert by_chance.own == pytest.approx(by_chance.chance, abs=0.1)


def test_near_duplicates_are_all_found_and_none_is_invented():
    rng = random.Random(3)
    train = [some_text(f"base{i}", rng.randrange(20, 90)) for i in range(200)]
    texts = []
    for i, text in enumerate(train):  # from no edit to a third of the words
        size = len(text.split())
        texts.append(edited(text, range(max(1, size * (i % 12) // 33))) if i % 12 else text.replace(" ", ", ", 1))
    data = sound(train=some_documents("train", 200, texts=train), test=some_documents("test", 200, texts=texts))
    truth = {i for i, text in enumerate(texts) if any(similarity(text, other) >= 0.8 for other in train)}
    found = near_duplicates(data, quiet)
    assert 40 < len(truth) < 160
    assert found.shared["test"].documents == pytest.approx(len(truth), abs=1)
    assert found.shared["test"].documents <= len(truth)
    for pair in found.shared["test"].examples:
        held_out, earlier = (int(id_.rpartition("-")[2]) for id_ in pair.ids)
        assert pair.similarity == pytest.approx(similarity(texts[held_out], train[earlier]))
        assert pair.similarity >= 0.8


def similarity(one, other):
    first, second = (
        {tuple(words[i : i + 3]) for i in range(len(words) - 2)}
        for words in (t.replace(",", "").split() for t in (one, other))
    )
    return len(first & second) / len(first | second)


def test_near_duplicates_of_validation_documents_count_and_equal_texts_do_not():
    texts = [edited(some_text("validation7"), [0]), some_text("train7"), some_text("train8").upper()]
    found = near_duplicates(sound(test=some_documents("test", 40, texts=texts)), quiet)
    assert found.shared["test"].documents == 1
    assert found.shared["test"].examples[0].ids == ("test-000", "validation-007")
    assert found.shared["validation"].documents == 0
    assert found.looked_at == {"validation": 40, "test": 40}


def test_texts_of_few_words_and_of_none_are_compared_soberly():
    train = some_documents("train", 60, texts=["thank you", "!?", "…"])
    test = some_documents("test", 40, texts=["Thank you!", "??", "thank them"])
    assert near_duplicates(sound(train=train, test=test), quiet).shared["test"].documents == 1


def test_what_resembles_everything_is_given_up_on_and_left_out_of_the_share(monkeypatch):
    monkeypatch.setattr("bench.audit.near_duplicates.MOST_COMPARED", 5)
    base = some_text("base", 60)
    train = [edited(base, range(i, i + 2)) for i in range(30, 58)]  # similarity about 0.7
    texts = [edited(base, [5, 15]), edited(some_text("train55"), [3])]
    data = sound(train=some_documents("train", 60, texts=train), test=some_documents("test", 40, texts=texts))
    found = near_duplicates(data, quiet)
    assert found.given_up == {"validation": 0, "test": 1}
    assert found.looked_at == {"validation": 40, "test": 39}
    assert (found.shared["test"].documents, found.shared["test"].share) == (1, 1 / 39)


def test_a_copy_is_found_among_many_letters_from_one_template(monkeypatch):
    """What the cheap estimate turns away costs a document none of its comparisons."""
    monkeypatch.setattr("bench.audit.near_duplicates.MOST_COMPARED", 20)
    template = some_text("template", 60)
    letters = [f"{template} {some_text(f'letter{i}', 40)}" for i in range(320)]  # similarity about 0.4
    test = [f"{template} {some_text(f'own{i}', 40)}" for i in range(10)]
    train = some_documents("train", 330, texts=[*letters, *(f"{text} indeed" for text in test)])
    found = near_duplicates(sound(train=train, test=some_documents("test", 40, texts=test)), quiet)
    assert found.shared["test"].documents == 10
    assert found.given_up == {"validation": 0, "test": 0}


def test_the_twin_is_the_most_alike_and_of_equals_that_with_the_same_labels():
    text = some_text("base", 60)
    train = [edited(text, [0]), f"{text} indeed", f"{text} again", edited(text, [0, 1])]
    labels = [[0], [1], [2], [2]]
    data = sound(
        train=some_documents("train", 60, texts=train, labels=labels),
        test=some_documents("test", 40, texts=[text, text.replace(" ", "  ", 1) + " so"], labels=[[2], [0]]),
    )
    pairs = near_duplicates(data, quiet).shared["test"]
    assert [pair.ids for pair in pairs.examples] == [("test-000", "train-002"), ("test-001", "train-001")]
    assert pairs.other_labels == 1


def test_floors_tell_a_learnable_task_from_noise():
    def telling(split, count):
        plain = some_documents(split, count)
        return replace(plain, texts=[f"{some_text(i, 3)} mark{row[0]}" for i, row in enumerate(plain.labels)])

    splits = {"train": telling("train", 60), "validation": telling("validation", 40)}
    found = floors(sound(**splits, primary_metric="macro_f1"))
    assert found.metric == "macro_f1"
    assert found.linear.value == 1
    assert found.prior.value < 0.4
    assert floors(sound()).linear.value < 0.8


@pytest.mark.parametrize("metric", ["micro_f1", "macro_f1"])
def test_texts_without_a_word_about_their_labels_are_told_from_others(metric):
    noise, telling = sound(primary_metric=metric), sound(validation=marked("validation", 40), train=marked("train", 60))
    found = {name: floors(data) for name, data in (("noise", noise), ("telling", telling))}
    spread = found["noise"].shuffled
    assert 0 < spread.deviation < 0.2
    names = {
        name: {finding.name for finding in findings(audit_of(sound(), floors=part))} for name, part in found.items()
    }
    assert "words-tell-nothing" in names["noise"]
    assert "words-tell-nothing" not in names["telling"]


def test_floors_of_several_labels_a_document():
    rows = [[i % 3, 3] if i % 2 else [i % 3] for i in range(60)]
    texts = [" ".join(f"word{label}" for label in row) + f" {some_text(i, 5)}" for i, row in enumerate(rows)]
    documents = {
        split: Documents([f"{split}{i}" for i in range(60)], texts, rows) for split in ("train", "validation", "test")
    }
    found = floors(TaskData(**documents, labels=LabelSpace(tuple("abcde")), kind="multi"))
    assert found.labels == 4
    assert found.linear.value > 0.95 > found.prior.value


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"primary_metric": "beauty"}, "beauty"),
        ({"train": some_documents("train", 60, texts=["!"] * 60)}, "no features"),
    ],
)
def test_a_floor_that_cannot_be_had_says_why(change, reason):
    floor = floors(sound(**change)).linear
    assert floor.value is None
    assert reason in floor.reason


def marked(split, count):
    plain = some_documents(split, count)
    return replace(plain, texts=[f"{text} mark{row[0]}" for text, row in zip(plain.texts, plain.labels, strict=True)])


def with_everything():
    """A task in which every part finds something, and one text resembles several."""
    texts = [some_text("train1"), edited(some_text("train2"), [3]), "billing " + some_text("test2")]
    train = marked("train", 60)
    versions = [edited(some_text("train2"), [place]) for place in range(0, 40, 8)]
    train = replace(train, texts=[*train.texts[:-5], *versions])
    return sound(test=some_documents("test", 40, texts=texts), train=train, validation=marked("validation", 40))


def whole(data):
    return audit_of(
        data,
        words=words(data),
        tokens=tokens(data, TokenizerFile.of("embedded-encoder")),
        label_names=label_names(data),
        near_duplicates=near_duplicates(data, quiet),
    )


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6))
def test_the_order_of_documents_plays_no_part(seed):
    data = with_everything()
    kept = {"fingerprint": ""}  # which does depend on it
    assert whole(data).model_copy(update=kept) == whole(shuffled(data, seed)).model_copy(update=kept)


@pytest.mark.parametrize("most", [30, 10**6])
def test_the_order_of_documents_plays_no_part_in_floors(most, monkeypatch):
    monkeypatch.setattr("bench.audit.floors.MOST_TRAINED", most)
    data = sound()
    found = floors(data)
    assert found.train_documents == min(most, 60)
    assert all(floors(shuffled(data, seed)) == found for seed in range(3))


def test_an_audit_survives_json():
    audit = whole(with_everything()).model_copy(update={"floors": floors(with_everything())})
    text = audit.model_dump_json()
    assert Audit.model_validate_json(text) == audit
    json.dumps(audit.model_dump(mode="json"), allow_nan=False)
