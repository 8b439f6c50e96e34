"""Variants and methods left out: what a suite spans, what is refused, and what the user's word does to it."""

from __future__ import annotations

import pytest
from commands import PLUGINS
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import ParameterGrid

from bench.errors import UserError
from bench.grids import points
from bench.registry import Registry
from bench.runner.plan import PlannedCell, Planner
from bench.selection import Selection
from bench.store import Store
from bench.suite import Suite, built_in_suites, load_suite, parse_suite
from bench.telling import in_words, setting_words

GRID = st.dictionaries(
    st.sampled_from("abcd"), st.lists(st.sampled_from(["x", "y", 1, 2.5, None]), min_size=1, max_size=3)
)
HEAD = "embedding-head"
SMALL = Registry.discover([PLUGINS / "small.py"])


@given(st.lists(GRID, min_size=1, max_size=3))
def test_a_grid_spans_what_scikit_learns_does(grids):
    found = sorted(map(in_order, points(grids)))
    assert found == sorted(map(in_order, ParameterGrid(grids)))


def in_order(point):
    return str(sorted(point.items()))


def test_one_value_needs_no_list_and_a_list_stands_in_a_list():
    assert points([{"a": 1, "b": [2, 3]}]) == [{"a": 1, "b": 2}, {"a": 1, "b": 3}]
    assert points([{"ngrams": [[1, 2]]}, {}]) == [{"ngrams": [1, 2]}, {}]


def planned(suite: Suite, tmp_path, registry: Registry = SMALL, say=str) -> list[PlannedCell]:
    return Planner(suite, registry, Store(tmp_path), say, pytest.fail).plan()


def spanned(cells, key, task=None):
    return [cell.identity.method_settings[key] for cell in cells if task in {None, cell.identity.task}]


def test_every_point_is_a_cell_between_method_and_seed(tmp_path):
    suite = Suite(
        tasks=("small-single",),
        methods=("words", "chance"),
        seeds=(0, 1),
        settings={"words": {"weight": 9.0}, "small-single/words": {"weight": 8.0}},
        variants={"words": [{"weight": [2.0, 3.0]}, {}]},
    )
    cells = [
        (c.identity.method, c.identity.method_settings["weight"], c.identity.seed) for c in planned(suite, tmp_path)
    ]
    words = [("words", weight, seed) for weight in (2.0, 3.0, 8.0) for seed in (0, 1)]
    assert cells == [*words, ("chance", 1.0, 0), ("chance", 1.0, 1)]
    assert len({cell.cell for cell in planned(suite, tmp_path)}) == len(cells)


def test_points_of_equal_settings_are_one_cell(tmp_path):
    suite = Suite(
        tasks=("small-single",), methods=("words",), variants={"words": [{}, {"weight": [1, 1.0]}, {"weight": 2}]}
    )
    assert spanned(planned(suite, tmp_path), "weight") == [1.0, 2.0]


def test_variants_of_a_pair_replace_those_of_the_method_there(tmp_path):
    suite = Suite(
        tasks=("small-single", "small-multi"),
        methods=("words",),
        variants={"words": {"weight": [2, 3]}, "small-multi/words": {"weight": 4}},
    )
    cells = planned(suite, tmp_path)
    assert spanned(cells, "weight", "small-single") == [2.0, 3.0]
    assert spanned(cells, "weight", "small-multi") == [4.0]


@pytest.mark.parametrize(
    ("word", "single", "multi"),
    [
        ("weight", [7.0], [7.0]),
        ("words.weight", [7.0], [7.0]),
        ("small-multi/words.weight", [2.0, 3.0], [7.0]),
        ("small-single/words.weight", [7.0], [4.0, 5.0]),
    ],
)
def test_what_the_user_sets_stands_in_every_variant(word, single, multi, tmp_path):
    suite = Suite(
        tasks=("small-single", "small-multi"),
        methods=("words",),
        variants={"words": {"weight": [2, 3]}, "small-multi/words": {"weight": [4, 5]}},
    )
    cells = planned(Selection(settings={word: 7}).of(suite, SMALL), tmp_path)
    assert spanned(cells, "weight", "small-single") == single
    assert spanned(cells, "weight", "small-multi") == multi


def test_a_word_of_the_user_on_a_pair_keeps_the_other_keys_of_its_variants():
    suite = Suite(tasks=("debtags",), variants={HEAD: {"pooling": ["last", "mean"], "direction": ["causal"]}})
    chosen = Selection(settings={f"debtags/{HEAD}.pooling": "max"}).of(suite, Registry.discover())
    assert chosen.variants_of("debtags", HEAD) == [{"direction": "causal"}]
    assert chosen.method_settings("debtags", HEAD) == {"pooling": "max"}
    assert len(chosen.variants_of("debian-sections", HEAD)) == 2


@pytest.mark.parametrize(
    ("variants", "said"),
    [
        ({HEAD: {"poling": ["last"]}}, "suite mine: variant poling=last of embedding-head on .*'poling'.*'pooling'"),
        ({HEAD: [{"rank": 4}, {"pooling": "first"}]}, "variant pooling=first of embedding-head on"),
        (
            {HEAD: {"adapter": "full", "quantisation": ["none", "nf4"]}},
            "quantisation=nf4 of .*trains all",
        ),
        ({"embeding-head": {"rank": 4}}, "method in variants 'embeding-head'; did you mean 'embedding-head'"),
        ({"synthetic-clv": {"words": 4}}, "method in variants 'synthetic-clv'"),
        ({"synthetic-clv/embeding-head": {"rank": 4}}, "method in variants"),
    ],
)
def test_a_variant_that_is_off_is_refused_before_anything_is_read(variants, said, tmp_path):
    suite = Suite(name="mine", tasks=("synthetic-clv",), methods=(HEAD,), variants=variants)
    with pytest.raises(UserError, match=said):
        planned(suite, tmp_path, Registry.discover())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("variants: {bert: []}", "bert has no grid"),
        ("variants: {bert: [{epochs: []}]}", "epochs of bert has no value"),
        ("variants: [bert]", "variants"),
        ("variants: {bert: 3}", r"variants\.bert"),
        ("leave_out: [bert]", "leave_out"),
        ("leave_out: {bert: }", r"leave_out\.bert"),
        ("methods: [bert]\nleave_out: {tfidf: slow}", "leave_out is for suites of all methods"),
    ],
)
def test_a_suite_that_spans_nothing_is_refused(text, said):
    with pytest.raises(UserError, match=f"mine.yaml.*{said}"):
        parse_suite(text, "mine", "mine.yaml")


def test_what_cannot_run_is_kept_apart_for_each_variant(tmp_path):
    suite = Suite(
        tasks=("small-single",),
        methods=("bert",),
        models=("nobody/nothing-base",),
        variants={"bert": {"epochs": [1, 2]}},
    )
    blocked = [cell for cell in planned(suite, tmp_path) if cell.blocked]
    assert len(blocked) == len({cell.cell for cell in blocked}) == 2


def test_left_out_methods_run_if_they_are_named(tmp_path):
    told: list[str] = []
    why = {"words": "too slow", "chance": "too slow", "emitter": "it is odd"}
    suite = Suite(tasks=("small-single",), leave_out=why)
    left = {cell.identity.method for cell in planned(suite, tmp_path, say=told.append)}
    assert left == SMALL.of("method").keys() - why.keys()
    assert "left out: words, chance: too slow; emitter: it is odd; name them with -m to run them" in told
    named = Selection(methods=("words",)).of(suite, SMALL)
    assert [cell.identity.method for cell in planned(named, tmp_path)] == ["words"]


def test_what_is_left_out_must_be_known(tmp_path):
    suite = Suite(tasks=("small-single",), leave_out={"wrds": "too slow"})
    with pytest.raises(UserError, match="method in leave_out 'wrds'; did you mean 'words'"):
        planned(suite, tmp_path)


def test_a_setting_of_methods_that_are_left_out_is_unknown():
    suite = Suite(tasks=("synthetic-clv",), leave_out={"few-shot": "no"})
    with pytest.raises(UserError, match="unknown setting 'shots'"):
        Selection(settings={"shots": 2}).of(suite, Registry.discover())


def test_the_default_suite_leaves_out_what_its_models_cannot_do():
    suite = load_suite("default")
    assert suite.leave_out.keys() == {"zero-shot", "few-shot", "xmlc"}
    assert suite.left_out().startswith("left out: zero-shot, few-shot: the embedded models were never taught")
    assert "\n" not in suite.left_out()
    assert suite.of_methods({"zero-shot", "bert"}).leave_out.keys() == {"zero-shot"}


def test_variants_of_built_in_suites_are_sound():
    """Settings that are off are refused as they are made; none of these is, and each says what its variant does."""
    registry, checked = Registry.discover(), 0
    for name, _ in built_in_suites():
        suite = load_suite(name)
        for task in suite.tasks:
            for method in suite.methods:
                for variant in suite.variants_of(task, method):
                    given = {**suite.method_settings(task, method), **variant}
                    made = registry.get("method", method).settings(given).model_dump()
                    assert variant.items() <= made.items()
                    checked += bool(variant)
    assert checked > 50


@pytest.mark.parametrize(
    ("task", "count"), [("debian-sections", 2 * 5 * 2 + 2 * 2 + 2 * 2), ("debtags", 3 * 2 * 2 + 2 * 2)]
)
def test_the_decoders_suite_crosses_what_it_says(task, count):
    suite = load_suite("decoders")
    heads = suite.variants_of(task, HEAD)
    assert len(heads) == len({in_words(point) for point in heads}) == count
    assert {point["quantisation"] for point in heads if point["adapter"] == "full"} == {"none"}
    decodings = [point["decoding"] for point in suite.variants_of("debian-sections", "instruction-tuning")]
    assert decodings == ["constrained", "free", "score", "verbalizer"]
    assert len(suite.variants_of("debtags", "instruction-tuning")) == 3


def test_cells_are_told_apart_by_what_differs_within_task_and_method(tmp_path):
    suite = Suite(
        tasks=("small-single", "small-multi"),
        methods=("words", "chance"),
        seeds=(0, 1),
        variants={"small-single/words": {"weight": [2, 3]}, "small-multi/words": {"weight": 5}},
    )
    told = setting_words([cell.identity for cell in planned(suite, tmp_path)])
    assert told == ["weight=2.0", "weight=2.0", "weight=3.0", "weight=3.0", "", "", "", "", "", ""]
