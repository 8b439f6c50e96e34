"""The documents say what the code does."""

import json
import re
from pathlib import Path
from statistics import fmean

import pytest

from bench import embedded
from bench.metrics.definitions import DEFINITIONS
from bench.pretraining.settings import BuildSettings
from bench.record import Record
from bench.settings import settings_dict

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_schema_of_records_is_the_code_s():
    assert json.loads((ROOT / "docs/record.schema.json").read_text()) == Record.model_json_schema()


def test_every_key_of_a_record_is_explained():
    text = (ROOT / "docs/records.md").read_text()
    assert not [name for name in Record.model_fields if name != "schema_version" and f"`{name}`" not in text]


def test_every_metric_is_defined():
    text = (ROOT / "docs/metrics.md").read_text()
    assert not [name for name, line in DEFINITIONS.items() if f"- `{name}`: {line}\n" not in text]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    assert not [link for link in links if not link.startswith("http") and not (page.parent / link).exists()]


def test_the_plugins_page_works(tmp_path, monkeypatch):
    """The task and the method of the page, as they stand there, run."""
    from commands import call

    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/plugins.md").read_text(), re.DOTALL)
    (tmp_path / "mine.py").write_text("\n".join(blocks))
    rows = [f"{split}{i},{split},{queue},help {'!' * n} {i}" for split in ("train", "validation", "test")
            for i in range(4) for queue, n in [("billing", 3) if i % 2 else ("network", 0)]]  # fmt: skip
    (tmp_path / "tickets.csv").write_text("id,split,queue,body\n" + "\n".join(rows))
    done = call("run", "--plugins", "mine.py", "-t", "mine", "-m", "shout", "--json", cwd=tmp_path)
    assert [record["status"] for record in json.loads(done.out)] == ["ok"], done.err


def reference() -> dict[tuple[str, str], list[float]]:
    """(method, model) → micro-F1 of each seed, in the committed run of the suite ``embedded``."""
    found: dict[tuple[str, str], list[float]] = {}
    for record in json.loads((ROOT / "results/reference/embedded.json").read_text()):
        assert record["status"] == "ok"
        found.setdefault((record["method"], record["model"] or ""), []).append(record["metrics"]["micro_f1"])
    return found


@pytest.mark.parametrize("name", embedded.ARCHITECTURES)
def test_the_cards_say_what_was_measured(name):
    card = (embedded.folder(name) / "README.md").read_text()
    measured = reference()
    assert len(measured) == 5
    for (method, model), seeds in measured.items():
        start = f"`{model}`" if model else "–"
        assert len(seeds) == 3
        assert f"| `{method}` | {start} | {fmean(seeds):.3f} | {min(seeds):.3f} to {max(seeds):.3f} |" in card


def test_pretraining_is_worth_something():
    """What the embedded models are for, held by the committed run."""
    mean = {key: fmean(seeds) for key, seeds in reference().items()}
    for method, model in (("bert", "embedded-encoder"), ("embedding-head", "embedded-decoder")):
        assert mean[method, model] > mean[method, f"{model}:random"] + 0.10
        assert mean[method, model] > mean["tfidf", ""] - 0.01


@pytest.mark.parametrize("name", embedded.ARCHITECTURES)
def test_the_cards_hold_the_recipe(name):
    recipe = embedded.recipe()
    card = (embedded.folder(name) / "README.md").read_text()
    tasks = " ".join(f"-t {task}" for task in recipe.tasks)
    options = f"--steps {recipe.settings['steps']} --seed {recipe.settings['seed']}"
    assert f"    bench models build --out DIR {tasks} {options}\n" in card
    assert recipe_settings_of(card) == settings_dict(BuildSettings(**recipe.settings))


def recipe_settings_of(card):
    """The settings that a card lists: `` `key` value; … ``."""
    (line,) = (line for line in card.splitlines() if line.startswith("`steps` "))
    pairs = (part.strip(" .").split("` ") for part in line.split(";"))
    return {key.strip("`"): json.loads(value) for key, value in pairs}
