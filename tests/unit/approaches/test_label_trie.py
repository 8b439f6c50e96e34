import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.approaches.label_trie import Answer, Grammar, Trie
from bench.errors import UserError

STOP, MARK = 0, 1
tokens = st.lists(st.integers(2, 5), min_size=1, max_size=4)
label_sets = st.lists(tokens, min_size=1, max_size=8, unique_by=tuple)


def grammar_of(sequences, most=1):
    names = [str(sequence) for sequence in sequences]
    more = Trie.of([[MARK, *sequence] for sequence in sequences], names) if most > 1 else None
    return Grammar(Trie.of(sequences, names), more, (STOP,), len(sequences), most)


@given(label_sets, st.integers(1, 4), st.data())
def test_whatever_is_chosen_an_answer_is_labels_each_once_and_an_end_mark(sequences, most, data):
    answer = Answer(grammar_of(sequences, most))
    while not answer.finished:
        choices = answer.choices()
        assert choices
        assert len(set(choices)) == len(choices)
        answer.take(data.draw(st.sampled_from(choices)))
    assert 1 <= len(answer.labels) <= most
    assert len(set(answer.labels)) == len(answer.labels)
    written = [sequences[label] for label in answer.labels]
    joined = written[0] + [token for part in written[1:] for token in [MARK, *part]]
    assert answer.tokens == [*joined, STOP]


@given(label_sets, st.integers(2, 4), st.data())
def test_every_answer_can_be_spelt(sequences, most, data):
    wanted = data.draw(st.lists(st.integers(0, len(sequences) - 1), min_size=1, max_size=most, unique=True))
    answer = Answer(grammar_of(sequences, most))
    for place, label in enumerate(wanted):
        for token in [*([MARK] if place else []), *sequences[label]]:
            assert token in answer.choices()
            answer.take(token)
    answer.take(STOP)
    assert (answer.labels, answer.finished) == (wanted, True)


def test_a_label_that_begins_another_can_end_or_go_on():
    answer = Answer(grammar_of([[2], [2, 3], [4]]))
    answer.take(2)
    assert sorted(answer.choices()) == [STOP, 3]


def test_what_was_given_is_no_choice_any_more():
    answer = Answer(grammar_of([[2, 3], [2, 4], [5]], most=3))
    for token in (2, 3, MARK):
        answer.take(token)
    assert sorted(answer.choices()) == [2, 5]
    answer.take(2)
    assert answer.choices() == [4]


def test_tokens_without_a_choice_are_spelt_at_once():
    answer = Answer(grammar_of([[2, 3, 4], [5]]))
    assert answer.take_forced() == []
    answer.take(2)
    assert answer.take_forced() == [3, 4, STOP]
    assert answer.finished


def test_the_word_for_no_label_stands_alone():
    names = ["a", "b", "none"]
    first, more = Trie.of([[2], [3], [4]], names), Trie.of([[MARK, 2], [MARK, 3]], names)
    answer = Answer(Grammar(first, more, (STOP,), n_labels=2, most=2))
    answer.take(4)
    assert answer.choices() == [STOP]
    answer.take(STOP)
    assert (answer.labels, answer.finished) == ([], True)


def test_labels_that_the_tokenizer_writes_alike_are_refused():
    with pytest.raises(UserError, match="'one' and 'two' alike"):
        Trie.of([[2, 3], [2, 3]], ["one", "two"])
    with pytest.raises(UserError, match="no token for 'two'"):
        Trie.of([[2], []], ["one", "two"])


def test_a_token_that_is_no_choice_is_refused():
    with pytest.raises(ValueError, match="none of the choices"):
        Answer(grammar_of([[2], [3]])).take(4)


def test_of_several_end_marks_the_first_is_spelt():
    answer = Answer(Grammar(Trie.of([[2], [2, 3]], ["a", "b"]), None, (7, STOP), 2, 1))
    answer.take(2)
    assert answer.choices() == [3, 7]
    answer.take(3)
    assert answer.take_forced() == [7]


def test_where_all_labels_were_given_the_end_is_forced():
    answer = Answer(grammar_of([[2, 3], [2, 4]], most=4))
    answer.take(2)
    answer.take(3)
    answer.take(MARK)
    assert answer.take_forced() == [2, 4, STOP]
    assert answer.labels == [0, 1]


def test_what_follows_a_label_must_tell_what_it_is():
    a_longer, names = [[2], [2, 3], [4]], ["short", "longer", "other"]
    with pytest.raises(UserError, match=r"behind label 'short' .* label 'longer'; set another `separator`"):
        Grammar(Trie.of(a_longer, names), Trie.of([[3, *row] for row in a_longer], names), (STOP,), 3, 2)
    for stops in ((3,), (STOP, 3)):
        with pytest.raises(UserError, match=r"behind label 'short' .* an end mark"):
            Grammar(Trie.of(a_longer, names), None, stops, 3, 1)
    with pytest.raises(UserError, match="separator begins with what ends an answer"):
        Grammar(Trie.of([[2]], ["a"]), Trie.of([[MARK, 2]], ["a"]), (STOP, MARK), 1, 2)
    only_one = Grammar(Trie.of(a_longer, names), Trie.of([[3, *row] for row in a_longer], names), (STOP,), 3, 1)
    answer = Answer(only_one)
    answer.take(2)
    assert answer.choices() == [STOP, 3]


def test_choices_are_made_once_however_many_answers_are_spelt():
    grammar = grammar_of([[token] for token in range(2, 3000)], most=3)
    made = grammar.choices(Answer(grammar).place)
    for token in range(2, 1000):
        answer = Answer(grammar)
        assert answer.take_forced() == []
        answer.take(token)
        answer.take(MARK)
        assert answer.take_forced() == []
        answer.take(token + 1)
    assert grammar.choices(Answer(grammar).place) is made
