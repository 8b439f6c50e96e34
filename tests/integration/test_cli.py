"""What a user types and what comes back."""

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "sklearn", "scipy", "pandas", "numpy")


def imported_by(*words):
    """Modules that a command imports."""
    program = (
        "import sys\nsys.argv = ['bench', *sys.argv[1:]]\n"
        "from bench.cli import app\n"
        "try:\n    app()\nexcept SystemExit:\n    pass\n"
        "print('MODULES', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("MODULES")[2].split())


@pytest.mark.parametrize("words", [("--help",), ("list", "tasks"), ("list",), ("show", "bert"), ("run", "--help")])
def test_looking_imports_nothing_heavy(words):
    assert not imported_by(*words) & set(HEAVY)


def test_list_names_what_comes_with_the_harness(bench):
    found = json.loads(bench("list", "--json").out)
    assert {"debian-sections", "debtags", "synthetic-clv", "synthetic-wipo"} <= {row["name"] for row in found["tasks"]}
    methods = {"prior", "tfidf", "bert", "embedding-head", "instruction-tuning"}
    assert methods <= {row["name"] for row in found["methods"]}
    assert {row["name"] for row in found["suites"]} >= {"default", "ci"}


def test_a_broken_plugin_is_listed_as_broken_and_the_rest_works(bench, plugins, tmp_path):
    listed = json.loads(bench("list", "tasks", "--json", "--plugins", plugins).out)
    states = {row["name"]: row["status"] for row in listed}
    assert states["broken"] == "broken"
    assert states["small-single"] == "ok"
    reason = next(row["reason"] for row in listed if row["name"] == "broken")
    assert "a_library_that_nobody_has" in reason
    assert bench("run", "-t", "small-single", "-m", "words", "--plugins", plugins, "--out", tmp_path).code == 0
    named = bench("run", "-t", "broken", "-m", "words", "--plugins", plugins, "--out", tmp_path)
    assert (named.code, named.err.count("\n")) == (2, 1)


def test_a_plugin_that_imports_torch_at_its_top_is_listed_without_it(bench, tmp_path):
    (tmp_path / "heavy.py").write_text(
        "import torch\nfrom bench.method import Method\n"
        "class Heavy(Method):\n    name = 'heavy'\n    def fit(self, *a): pass\n    def predict(self, *a): pass\n"
    )
    row = next(
        row
        for row in json.loads(bench("list", "tasks", "--json", "--plugins", tmp_path / "heavy.py").out)
        if row["name"] == "heavy"
    )
    assert row["status"] == "unchecked"


@pytest.mark.parametrize(
    ("words", "named", "nearest"),
    [
        (("run", "-t", "debtag", "-m", "prior"), "'debtag'", "'debtags'"),
        (("run", "-t", "synthetic-clv", "-m", "tfid"), "'tfid'", "'tfidf'"),
        (("run", "--suite", "defualt"), "'defualt'", "'default'"),
        (("run", "-t", "synthetic-clv", "-m", "bert", "--set", "epoch=3"), "'epoch'", "'epochs'"),
        (("run", "-t", "synthetic-clv", "-m", "bert", "--set", "bert.epoch=3"), "'epoch'", "'epochs'"),
        (("run", "-t", "synthetic-clv", "-m", "bert", "--set", "brt.epochs=3"), "'brt'", "'bert'"),
        (("inspect", "synthetic-clb"), "'synthetic-clb'", "'synthetic-clv'"),
        (("show", "embeding-head"), "'embeding-head'", "'embedding-head'"),
        (("prepare", "debain"), "'debain'", "'debian'"),
        (("run", "-t", "synthetic-clv", "-m", "prior", "--retry", "ooom"), "'ooom'", "'oom'"),
        (("run", "-t", "synthetic-clv", "-m", "prior", "--device", "cuba"), "'cuba'", "'cuda'"),
    ],
)
def test_unknown_names_are_one_line_with_the_nearest(bench, tmp_path, words, named, nearest):
    done = bench(*words, *(("--out", tmp_path) if words[0] == "run" else ()))
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert named in done.err
    assert nearest in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run",), "say what to run"),
        (("run", "-t", "synthetic-clv", "-m", "bert", "--set", "epochs=many"), "bert.epochs='many'"),
        (("run", "-t", "synthetic-clv", "-m", "bert", "--set", "epochs"), "KEY=VALUE"),
        (("run", "-t", "synthetic-clv", "-m", "prior", "--memory-limit", "lots"), "8GiB"),
        (("run", "-t", "synthetic-clv", "-m", "prior", "--memory-limit", "40MiB"), "at least 512 MiB"),
        (("run", "-t", "synthetic-clv", "-m", "prior", "--device", "cuda:1"), "CUDA_VISIBLE_DEVICES"),
        (("run", "-t", "synthetic-clv", "-m", "prior", "--timeout", "soon"), "20m"),
        (("run", "--suite", "none.yaml"), "no such file"),
        (("run", "--all", "--plugins", "none.py"), "no such file"),
    ],
)
def test_other_slips_are_one_line(bench, words, said):
    done = bench(*words)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert said in done.err


def test_a_missing_model_leaves_an_unavailable_cell_with_a_remedy(bench, tmp_path):
    done = bench(
        "run", "-t", "synthetic-clv", "-m", "bert", "--model", "nobody/nothing-base", "--out", tmp_path, "--json"
    )
    (record,) = json.loads(done.out)
    assert done.code == 0
    assert record["status"] == "unavailable"
    assert "nobody/nothing-base" in record["reason"]
    assert "bench prepare nobody/nothing-base" in f"{record['reason']} {record['remedy']}"


def test_a_task_without_its_source_is_unavailable_and_the_rest_runs(bench, tmp_path):
    words = ("run", "-t", "debtags", "-t", "synthetic-clv", "-m", "prior", "--out", tmp_path / "out", "--json")
    done = bench(*words, "--set", f"debtags.lists={tmp_path}")
    by_task = {record["task"]: record for record in json.loads(done.out)}
    assert done.code == 0
    assert by_task["debtags"]["status"] == "unavailable"
    assert by_task["debtags"]["remedy"] == "bench prepare debian"
    assert by_task["synthetic-clv"]["status"] == "ok"


BAD_TASK = """
from bench.task import Documents, LabelSpace, Task, TaskData
class Bad(Task):
    name = "bad"
    def load(self):
        good = lambda p: Documents([p + "1", p + "2"], ["a b", "c d"], [[0], [1]])
        train, validation, test = good("a"), good("b"), good("c")
        {change}
        return TaskData(train, validation, test, LabelSpace(("x", "y")), "single")
"""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("test = Documents(['a1', 'c2'], test.texts, test.labels)", "share document 'a1'"),
        ("train = Documents(train.ids, train.texts, [[0], [7]])", "'a2'"),
        ("test = Documents(test.ids, ['x', '  '], test.labels)", "'c2'"),
        ("test = Documents(test.ids, ['x', None], test.labels)", "'c2'"),
        ("test = Documents(test.ids, test.texts, [[0], []])", "'c2'"),
        ("train = Documents(['q', 'q'], train.texts, train.labels)", "'q'"),
        ("raise OSError('disk on fire')", "disk on fire"),
        ("test = Documents(test.ids, ['x', chr(0xD800)], test.labels)", "'c2'"),
    ],
)
def test_bad_documents_are_refused_with_their_ids(bench, tmp_path, change, said):
    (tmp_path / "bad.py").write_text(BAD_TASK.format(change=change))
    done = bench("run", "-t", "bad", "-m", "prior", "--plugins", tmp_path / "bad.py", "--out", tmp_path / "out")
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("part", ["availability", "stamp"])
def test_a_task_that_raises_outside_load_spoils_nothing_else(bench, tmp_path, part):
    text = BAD_TASK.format(change="pass") + f"    def {part}(self):\n        raise OSError('no such disk')\n"
    (tmp_path / "bad.py").write_text(text)
    assert bench("list", "--plugins", tmp_path / "bad.py").code == 0
    named = bench("run", "-t", "bad", "-m", "prior", "--plugins", tmp_path / "bad.py", "--out", tmp_path / "out")
    assert (named.code, named.err.count("\n")) == (2, 1)
    assert "no such disk" in named.err
    words = ("run", "--suite", tmp_path / "all.yaml", "-m", "prior", "--plugins", tmp_path / "bad.py", "--dry-run")
    (tmp_path / "all.yaml").write_text("settings: {synthetic-clv: {train_documents: 50}, bad: {test_documents: 1}}")
    rows = {row["task"]: row for row in json.loads(bench(*words, "--json", "--out", tmp_path / "out").out)}
    assert rows["bad"]["state"] == "unavailable"
    assert rows["synthetic-clv"]["state"] == "missing"


def planned(bench, tmp_path, *models):
    """The rows of a dry run of ``bert`` and ``embedding-head`` with some models."""
    named = [word for model in models for word in ("--model", model)]
    words = ("run", "-t", "synthetic-clv", "-m", "bert", "-m", "embedding-head", "--dry-run", "--json")
    done = bench(*words, *named, "--out", tmp_path / "out")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_a_local_model_is_named_by_what_it_is_not_by_where_it_lies(bench, tmp_path):
    from folders import write_model

    kind = {"model_type": "bert", "architectures": ["BertForMaskedLM"]}
    folders = [write_model(tmp_path / place / "mine", fill, **kind) for place, fill in (("a", 0), ("b", 0), ("c", 1))]
    first, second, other = (planned(bench, tmp_path, folder)[0] for folder in folders)
    assert first["cell"] == second["cell"] != other["cell"]
    assert first["model"].startswith("mine@")
    assert planned(bench, tmp_path, f"{folders[0]}:random")[0]["model"].endswith(":random")
    assert "/" not in planned(bench, tmp_path, tmp_path / "nowhere" / "mine")[0]["model"]


def test_one_model_by_two_names_is_one_cell(bench, tmp_path):
    rows = planned(bench, tmp_path, "smollm2-135m:random", "HuggingFaceTB/SmolLM2-135M:random")
    assert [(row["method"], row["model"]) for row in rows] == [
        ("bert", "embedded-encoder"),
        ("embedding-head", "HuggingFaceTB/SmolLM2-135M:random"),
    ]


def test_a_preset_that_is_not_here_stands_under_its_id_in_methods_of_its_kind(bench, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    rows = {row["method"]: row for row in planned(bench, tmp_path, "qwen3-1.7b")}
    assert rows["bert"]["model"] == "embedded-encoder"
    assert (rows["embedding-head"]["model"], rows["embedding-head"]["state"]) == ("Qwen/Qwen3-1.7B", "unavailable")


def test_a_model_with_random_weights_is_marked(bench, tmp_path):
    sizes = ("--set", "train_documents=20", "--set", "validation_documents=8", "--set", "test_documents=8")
    words = ("-t", "synthetic-clv", "-m", "bert", "--model", "embedded-encoder:random", "--set", "epochs=1")
    done = bench("run", *words, *sizes, "--set", "max_tokens=16", "--out", tmp_path / "out", "--json")
    (record,) = json.loads(done.out)
    assert (record["model"], record["from_scratch"]) == ("embedded-encoder:random", True)
    assert "from scratch" in bench("results", "--out", tmp_path / "out").out


def test_a_model_that_no_method_starts_from_is_not_replaced_silently(bench, tmp_path):
    words = ("run", "-t", "synthetic-clv", "-m", "bert", "--model", "embedded-decoder", "--dry-run", "--out", tmp_path)
    assert "no encoder among embedded-decoder" in bench(*words).err


def test_settings_reach_every_plugin_that_has_them(bench, tmp_path):
    words = (
        "run",
        "-t",
        "synthetic-clv",
        "-m",
        "bert",
        "-m",
        "embedding-head",
        "--dry-run",
        "--json",
        "--out",
        tmp_path,
    )
    plain = json.loads(bench(*words).out)
    both = json.loads(bench(*words, "--set", "max_tokens=40").out)
    one = json.loads(bench(*words, "--set", "bert.max_tokens=40").out)
    changed = [[a["cell"] != b["cell"] for a, b in zip(plain, other, strict=True)] for other in (both, one)]
    assert changed == [[True, True], [True, False]]


def test_every_finished_cell_has_what_scripts_rely_on(bench, plugins, tmp_path):
    words = ("run", "-t", "small-multi", "-t", "small-single", "-m", "words", "-m", "emitter", "-m", "tfidf")
    for record in json.loads(bench(*words, "--plugins", plugins / "small.py", "--out", tmp_path, "--json").out):
        assert {"load", "train", "predict"} <= set(record["seconds"])
        for rates in (record["documents_per_second"], record["tokens_per_second"]):
            assert {"train", "predict"} <= set(rates)
        for phase in ("train", "predict"):
            assert record["peak_mib"][phase]["host"] > 10
            assert {"host", "allocated", "reserved", "process", "device"} <= set(record["peak_mib"][phase])
        assert {"micro_f1", "macro_f1", "p@1", "p@3", "p@5", "ndcg@5"} <= set(record["metrics"])
        undefined = {name for name, value in record["metrics"].items() if value is None}
        assert undefined == set(record["undefined"])
        assert (record["metrics"]["p@1"] is None) == (record["method"] == "emitter")


def test_inspect_tells_sizes(bench):
    facts = json.loads(bench("inspect", "synthetic-clv", "--json", "--set", "train_documents=50").out)
    assert facts["n_labels"] == 5
    assert facts["documents"]["train"] == 50
    assert facts["skipped_files"] == []


def test_show_lists_settings_with_their_meaning(bench):
    shown = json.loads(bench("show", "bert", "--json", "--set", "epochs=7").out)
    settings = {row["key"]: row for row in shown["settings"]}
    assert settings["epochs"]["value"] == 7
    assert {"epochs", "batch_size", "learning_rate", "max_tokens"} <= set(settings)
    assert all(row["meaning"] for row in shown["settings"])


def test_a_yaml_plugin_is_another_plugin_with_settings_of_its_own(bench, tmp_path):
    (tmp_path / "tiny-clv.yaml").write_text("name: tiny-clv\nbase: synthetic-clv\nsettings: {train_documents: 30}\n")
    facts = json.loads(bench("inspect", "tiny-clv", "--json", "--plugins", tmp_path / "tiny-clv.yaml").out)
    assert facts["documents"]["train"] == 30


def test_doctor_finds_this_machine_well(bench, tmp_path):
    done = bench("doctor", "--out", tmp_path, "--json")
    found = {row["what"]: row for row in json.loads(done.out)}
    states = {what: row["state"] for what, row in found.items()}
    assert done.code == 0, done.out
    assert {states[f"{name} kernels"] for name in ("nf4", "int8")} == {"ok"}
    assert "FLOP/s" in found["matrix rate"]["found"]
    assert "GB/s" in found["memory bandwidth"]["found"]
    assert {"device", "processor energy", "device energy", "hub", "hub cache", "cache", "results"} <= set(found)
    assert found["task debtags"]["state"] == "ok" or "bench prepare debian" in found["task debtags"]["remedy"]
    assert states["task synthetic-clv"] == "ok"


def test_report_is_written_beside_the_results(bench, plugins, tmp_path):
    bench(
        "run", "-t", "small-multi", "-m", "words", "-m", "chance", "--plugins", plugins / "small.py", "--out", tmp_path
    )
    done = bench("report", "--out", tmp_path)
    assert done.code == 0
    assert "words" in (tmp_path / "report.md").read_text()
    assert "small-multi" in (tmp_path / "report.html").read_text()


def test_reading_results_that_are_not_there(bench, tmp_path):
    for verb in ("results", "report"):
        done = bench(verb, "--out", tmp_path / "nowhere")
        assert (done.code, done.err.count("\n")) == (2, 1)


@pytest.mark.parametrize(("words", "rate"), [((), 0.001), (("--model", "embedded-encoder"), 3e-5)])
def test_without_a_model_methods_have_the_settings_that_suit_the_embedded_ones(bench, tmp_path, words, rate):
    plan = bench("run", "-t", "synthetic-clv", "-m", "bert", *words, "--dry-run", "--json", "--out", tmp_path)
    (cell,) = json.loads(plan.out)
    assert cell["identity"]["method_settings"]["learning_rate"] == rate
    assert cell["identity"]["task_settings"]["train_documents"] is None


def test_data_sets_that_wait_to_be_prepared_share_a_line(bench):
    printed = bench("list", "tasks").out
    below = " ".join(printed.partition("not on this machine yet, run: bench prepare NAME")[2].split())
    assert "ag-news" in below
    assert "ag-news:" not in printed
    assert "  wipo-alpha: path is not set" in printed
