"""The metadata on an export's page, as the hub's own classes read it back."""

import pytest
from huggingface_hub import ModelCard, metadata_load
from small_stores import scored

from bench.exporting import page
from bench.method import Exported

EXPORTED = Exported("an adapter", "peft", "load", "use")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
HOSTILE = "a: 'b'\n---\n<script>\u202eא😀 # {x}"


def card(record):
    return ModelCard(page(record, EXPORTED))


def of(*, model="org/net", revision=None, task_settings=None, **more):
    identity = scored().identity.model_copy(
        update={"model": model, "model_revision": revision, "task_settings": task_settings or {}}
    )
    return scored().model_copy(update={"model": model, "identity": identity, **more})


def test_the_page_says_what_was_measured(tmp_path):
    data = card(of(revision=COMMIT)).data
    assert (data.library_name, data.pipeline_tag, data.base_model) == ("peft", "text-classification", "org/net")
    assert data.tags == ["bench", "m-scored"]
    results = {result.metric_name: result for result in data.eval_results}
    assert {name: result.metric_value for name, result in results.items()} == {"micro_f1": 0.5, "p@1": 0.5}
    one = results["micro_f1"]
    assert (one.task_type, one.dataset_name, one.dataset_split) == ("text-classification", "t", "test")
    assert one.dataset_args["task_fingerprint"] == "doc"
    (tmp_path / "README.md").write_text(page(of(revision=COMMIT), EXPORTED), "utf-8")
    assert metadata_load(tmp_path / "README.md")["model-index"][0]["results"][0]["dataset"]["name"] == "t"


@pytest.mark.parametrize(
    ("model", "revision", "base", "licence"),
    [
        ("Qwen/Qwen3-0.6B", "f" * 32, "Qwen/Qwen3-0.6B", "apache-2.0"),  # a preset, from a folder
        ("org/net", COMMIT, "org/net", None),
        ("org/net", "f" * 32, None, None),  # a folder that is called so
        ("net@abcdef", "f" * 32, None, None),
        ("embedded-decoder", "f" * 32, None, None),
        (None, None, None, None),
    ],
)
def test_base_and_licence_only_where_the_hub_knows_them(model, revision, base, licence):
    data = card(of(model=model, revision=revision)).data
    assert (data.base_model, data.license) == (base, licence)


@pytest.mark.parametrize("name", ["Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B:random"])
def test_random_weights_have_no_base(name):
    assert card(of(model=name, revision=COMMIT, from_scratch=True)).data.base_model is None


def test_a_data_set_of_the_hub_is_linked_with_its_commit():
    data = card(of(task_settings={"dataset": "org/news", "revision": COMMIT})).data
    assert data.datasets == ["org/news"]
    assert {(r.dataset_type, r.dataset_revision) for r in data.eval_results} == {("org/news", COMMIT)}
    unsure = card(of(task_settings={"dataset": "tickets.csv", "revision": "main"})).data
    assert unsure.datasets is None
    assert {r.dataset_type for r in unsure.eval_results} == {"t"}


def test_names_break_no_yaml():
    data = card(of(task=HOSTILE)).data
    assert data.eval_results[0].dataset_name == HOSTILE
    assert data.library_name == "peft"
