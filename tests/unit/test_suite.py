"""Suites say what they span, and are refused by name where they are off."""

import pytest

from bench.errors import UserError
from bench.registry import Registry
from bench.runner.plan import Planner
from bench.selection import Selection
from bench.store import Store
from bench.suite import Suite, built_in_suites, load_suite, parse_suite


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("task: [debtags]", "'task'.*'tasks'"),
        ("seeds: [one]", "seeds.0"),
        ("seeds: []", "seeds"),
        ("- debtags", "not a mapping"),
        ("tasks: [", "not YAML"),
        ("models: [{name: org/m, weights: rnadom}]", "weights of org/m are pretrained or random"),
        ("models: [{weights: random}]", "keys name and weights"),
        ("models: [{name: org/m, revision: abc}]", "keys name and weights"),
        ("seeds: [2024-13-45]", "mine.yaml is not YAML: month must be in 1..12"),
    ],
)
def test_a_suite_that_is_off_is_refused(text, said):
    with pytest.raises(UserError, match=said):
        parse_suite(text, "mine", "mine.yaml")


def test_a_suite_that_cannot_be_read_is_refused(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"seeds: [0] # \xe9")
    for name, said in ((path, "not UTF-8"), (tmp_path / "no.yaml", "no such"), (f"{'x' * 300}.yaml", "too long")):
        with pytest.raises(UserError, match=said):
            load_suite(str(name))


def test_what_is_said_of_every_task_must_be_known_of_one(tmp_path):
    suite = Suite(tasks=("synthetic-clv",), methods=("prior",), every_task={"train_documnts": 9})
    with pytest.raises(UserError, match="setting in every_task 'train_documnts'; did you mean 'train_documents'"):
        Planner(suite, Registry.discover(), Store(tmp_path), pytest.fail, pytest.fail).plan()


def test_a_model_may_have_random_weights():
    text = "models: [org/m, {name: org/m, weights: random}, {name: org/n, weights: pretrained}, 'org/o:random']"
    assert parse_suite(text, "mine", "mine.yaml").models == ("org/m", "org/m:random", "org/n", "org/o:random")


def test_built_in_suites_are_sound():
    registry = Registry.discover()
    names = {plugin.name for plugin in registry.plugins}
    for name, _ in built_in_suites():
        suite = load_suite(name)
        assert set(suite.tasks) | set(suite.methods) <= names
        for owner, given in suite.settings.items():
            registry.find(owner.rpartition("/")[2]).settings(given)


def test_the_word_of_a_pair_outranks_that_of_the_method():
    suite = Suite(settings={"bert": {"epochs": 2, "max_tokens": 64}, "debtags/bert": {"epochs": 5}})
    assert suite.method_settings("debtags", "bert") == {"epochs": 5, "max_tokens": 64}
    assert suite.method_settings("synthetic-clv", "bert") == {"epochs": 2, "max_tokens": 64}


def test_what_a_suite_says_of_methods_is_kept_apart_from_tasks_and_limits():
    suite = load_suite("default").of_methods({"bert", "tfidf"})
    assert (suite.tasks, suite.every_task, suite.name) == ((), {}, "custom")
    assert suite.method_settings("debtags", "bert") == load_suite("default").method_settings("debtags", "bert")
    assert suite.settings.keys() == {"bert", "debtags/bert", "synthetic-clv/bert", "synthetic-wipo/bert"}


def test_what_is_said_of_a_task_outranks_what_is_said_of_every_task():
    suite = Suite(every_task={"train_documents": 9, "words": 3}, settings={"debtags": {"train_documents": 5}})
    assert suite.task_settings("debtags", {"train_documents"}) == {"train_documents": 5}
    assert suite.task_settings("debian-sections", {"train_documents"}) == {"train_documents": 9}


def test_the_user_s_word_outranks_the_suite_s():
    suite = Suite(tasks=("debtags",), settings={"bert": {"epochs": 2}, "debtags/bert": {"epochs": 5}})
    chosen = Selection(settings={"epochs": 1, "bert.batch_size": 4}).of(suite, Registry.discover())
    assert chosen.method_settings("debtags", "bert") == {"epochs": 1, "batch_size": 4}
    assert chosen.method_settings("debtags", "embedding-head") == {"epochs": 1}


def test_a_key_of_tasks_and_methods_must_say_whose(tmp_path):
    (tmp_path / "both.py").write_text(
        "from bench.method import Method\nfrom bench.settings import Settings\n"
        "class S(Settings):\n    train_documents: int = 3\n"
        "class Both(Method):\n    name = 'both'\n    Config = S\n"
        "    def fit(self, *a): ...\n    def predict(self, *a): ...\n"
    )
    registry = Registry.discover([tmp_path / "both.py"])
    with pytest.raises(UserError, match=r"both\.train_documents"):
        Selection(settings={"train_documents": 1}).of(Suite(), registry)
