"""The documents say what the code does."""

import json
import re
from pathlib import Path

import pytest

from bench.metrics.definitions import DEFINITIONS
from bench.record import Record

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
