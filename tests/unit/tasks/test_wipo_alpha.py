from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.errors import TaskDataError, UserError
from bench.metrics.definitions import PATENT_METRICS
from bench.metrics.evaluate import evaluate
from bench.metrics.patents import patent_metrics
from bench.prediction import sets_matrix
from bench.predictions_file import read_predictions
from bench.registry import Registry
from bench.settings import locations, resolve_settings
from bench.task import LabelSpace, TaskData
from tasks.wipo.fixture import MadeCollection, write_collection
from tasks.wipo.fixture import main as fixture_command
from tasks.wipo_alpha import WipoAlpha, WipoAlphaSettings

Documents = list[tuple[str, str, list[str]]]  # split, main code, other codes
SMALL: Documents = [
    *[("train", code, []) for code in ("A01B 1/00", "A01B 3/00", "A02C 1/00", "B01B 1/00") for _ in range(3)],
    ("train", "A01B 1/02", ["A02C 1/00", "H01L 1/00", "A01B 1/04"]),
    ("test", "A01B 1/00", ["B01B 1/00", "A99Z 9/00"]),
    ("test", "A01B 3/00", []),
    ("test", "A02C 1/00", ["A02C"]),
    ("test", "B01B 1/00", ["H01L 1/00"]),
]


@pytest.fixture
def collection(tmp_path: Path) -> Callable[..., Path]:
    def write(documents: Documents = SMALL) -> Path:
        for number, (split, main, others) in enumerate(documents):
            path = tmp_path / "wipo" / split / f"{number:02d}.xml"
            path.parent.mkdir(parents=True, exist_ok=True)
            ipcs = "".join(f'<ipc ic="{code}"/>' for code in others)
            path.write_text(
                f'<record pn="P{number:02d}"><ipcs mc="{main}">{ipcs}</ipcs><ti>title {number} of it</ti></record>'
            )
        return tmp_path / "wipo"

    return write


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeCollection:
    return write_collection(tmp_path_factory.mktemp("made"), 300)


def load(place: Path, **given: object) -> TaskData:
    data = WipoAlpha(resolve_settings(WipoAlphaSettings, {"path": str(place), **given}, "wipo-alpha")).load()
    data.check()
    return data


def named(data: TaskData, rows) -> list[list[str]]:
    return [[data.labels.names[label] for label in row] for row in rows]


def test_one_label_a_document_from_its_main_code(collection) -> None:
    data = load(collection())
    assert (data.kind, data.primary_metric) == ("single", "micro_f1")
    assert data.labels.names == ("A01B", "A02C", "B01B")
    assert data.labels.ancestors == (("A", "A01"), ("A", "A02"), ("B", "B01"))
    assert named(data, data.test.labels) == [["A01B"], ["A01B"], ["A02C"], ["B01B"]]
    assert named(data, data.test.categories) == [["A01B", "B01B"], ["A01B"], ["A02C"], ["B01B"]]


def test_secondary_codes_that_are_nobody_s_main_code(collection) -> None:
    place = collection()
    dropped, kept = (load(place, labels="all", secondary=policy) for policy in ("drop", "keep"))
    assert dropped.kind == "multi"
    assert dropped.labels.names == ("A01B", "A02C", "B01B")
    assert "secondary codes left out, no document's main code: 3 (2 different)" in dropped.remarks
    assert kept.labels.names == ("A01B", "A02C", "A99Z", "B01B", "H01L")
    assert not [line for line in kept.remarks if "main code:" in line]
    assert named(kept, kept.test.labels) == [["A01B", "A99Z", "B01B"], ["A01B"], ["A02C"], ["B01B", "H01L"]]
    assert named(kept, kept.test.categories)[0] == ["A01B", "B01B", "A99Z"]


def test_levels(collection) -> None:
    place = collection()
    names = {level: load(place, level=level).labels for level in ("section", "main-group", "symbol")}
    assert names["section"].names == ("A", "B")
    assert names["main-group"].names == ("A01B001", "A01B003", "A02C001", "B01B001")
    assert names["symbol"].names[:2] == ("A01B001/00", "A01B001/02")
    assert names["symbol"].ancestors[0] == ("A", "A01", "A01B", "A01B001")
    assert "secondary codes left out, code that ends above the level symbol: 1 (1 different)" in load(
        place, level="symbol", labels="all"
    ).remarks  # fmt: skip


def test_a_main_code_above_the_level_is_left_out_and_counted(collection) -> None:
    data = load(collection([*SMALL, ("train", "A01B", []), ("train", "A01", ["B01B 1/00"])]), level="main-group")
    assert data.skipped == {"main code that ends above the level main-group": 2}


def test_sections(collection) -> None:
    place = collection()
    data = load(place, sections="A", labels="all")
    assert data.labels.names == ("A01B", "A02C")
    assert data.skipped == {"main code of a section other than A": 4}
    with pytest.raises(TaskDataError, match="1 labels remain"):
        load(place, sections="B")
    with pytest.raises(TaskDataError, match="0 labels remain"):
        load(place, sections="C")


MAPPINGS = {
    "m.csv": "code,category\nA01,tools\nA01B 3/00,blades\nB,presses\n",
    "m.yaml": "A01: tools\nA01B 3/00: blades\nB: presses\n",
    "m.json": '{"A01": "tools", "a01b00300": "blades", "B": "presses"}',
}


@pytest.mark.parametrize("name", MAPPINGS)
def test_a_mapping_takes_the_level_s_place(collection, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(MAPPINGS[name])
    place = collection()
    data = load(place, mapping=str(tmp_path / name))
    assert data.labels == LabelSpace(("blades", "presses", "tools"))
    assert named(data, data.test.labels) == [["tools"], ["blades"], ["presses"]]
    assert named(data, data.test.categories) == [["tools", "presses"], ["blades"], ["presses"]]
    assert data.skipped == {"main code that the mapping does not name": 4}
    assert "secondary codes left out, code that the mapping does not name: 5 (4 different)" in data.remarks


def test_a_mapping_names_main_groups(collection, tmp_path: Path) -> None:
    """Every code of the group is meant, ``A01B 3/12`` as well as ``A01B 3/00``."""
    (tmp_path / "m.csv").write_text("code,category\nA01B003,blades\nB01B 1,presses\nA01B,tools\nA01B 3/08,knives\n")
    tests = [("test", code, []) for code in ("A01B 3/00", "A01B 3/12", "A01B 3/08", "A01B 30/12", "B01B 1/40")]
    data = load(collection([*SMALL, *tests]), mapping=str(tmp_path / "m.csv"))
    assert named(data, data.test.labels)[-5:] == [["blades"], ["blades"], ["knives"], ["tools"], ["presses"]]


def test_a_document_whose_main_code_the_mapping_does_not_name_has_no_known_main_category(collection, tmp_path) -> None:
    (tmp_path / "m.csv").write_text("code,category\nA01,tools\nA02,pots\nH,circuits\n")
    data = load(collection(), mapping=str(tmp_path / "m.csv"), labels="all")
    assert named(data, data.test.labels) == [["tools"], ["tools"], ["pots"], ["circuits"]]
    assert data.test.categories[-1] == []
    assert data.skipped == {"no code but code that the mapping does not name": 3}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.csv", "code,label\nA,x\n", "first row must name the columns code and category"),
        ("m.csv", "code,category\nA,x\nfoo,y\n", r"m\.csv, row 3: 'foo' is no code"),
        ("m.csv", "code,category\nA,x\nB,\n", r"row 3: the category of 'B' is no text"),
        ("m.csv", "code,category\nA01B 1/00,x\nA01B00100,y\n", "'A01B00100' is 'y' here and 'x' above"),
        ("m.csv", "code,category\nA,x\nB,x\n", "has 1 categories"),
        ("m.yaml", "A01B: x\nB: y\nA01B: z\n", r"m\.yaml, entry 3: 'A01B' is 'z' here and 'x' above"),
        ("m.json", '{"A01B": "x", "B": "y", "A01B": "z"}', r"m\.json, entry 3: 'A01B' is 'z' here and 'x' above"),
        ("m.json", '{"A": {"A01": "x"}, "B": "y"}', "category of 'A' is no text"),
        ("m.json", '[["A", "x"], ["B", "y"]]', "write CODE: CATEGORY"),
        ("m.yaml", "", "write CODE: CATEGORY"),
        ("m.yaml", "A: \x07\n", "no YAML"),
        ("m.yaml", "- A\n", "write CODE: CATEGORY"),
        ("m.yaml", "A: [x\n", "no YAML"),
        ("m.yaml", "A: yes\nB: x\n", "category of 'A' is no text; put it in quotes"),
        ("m.json", "{", "no JSON"),
        ("m.txt", "A x", "give a .csv, .yaml or .json file"),
    ],
)
def test_mappings_that_cannot_be_read(collection, tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(TaskDataError, match=message):
        load(collection(), mapping=str(tmp_path / name))


def test_availability(tmp_path: Path, collection) -> None:
    state = WipoAlpha().availability()
    assert not state.ok
    assert "path is not set" in state.reason
    assert state.remedy == "bench run -t wipo-alpha --set wipo-alpha.path=FOLDER"
    assert WipoAlpha.optional
    assert not WipoAlpha(WipoAlphaSettings(path=str(tmp_path / "none"))).availability().ok
    place = str(collection())
    assert WipoAlpha(WipoAlphaSettings(path=place)).availability().ok
    assert "mapping" in WipoAlpha(WipoAlphaSettings(path=place, mapping="none.csv")).availability().reason
    assert WipoAlpha(WipoAlphaSettings(path="~no-such-user/x")).availability().reason == (
        "path ~no-such-user/x does not exist"
    )


def test_a_task_of_a_file_tells_its_own_name_and_file(tmp_path: Path, bench) -> None:
    (tmp_path / "mine.yaml").write_text("name: mine\nbase: wipo-alpha\n")
    remedy = f"bench run -t mine --set mine.path=FOLDER --plugins {tmp_path / 'mine.yaml'}"
    plugin = Registry.discover([tmp_path / "mine.yaml"]).get("task", "mine")
    assert plugin.load()(plugin.settings({})).availability().remedy == remedy
    done = bench("prepare", "mine", "--plugins", tmp_path / "mine.yaml")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("bench: task mine: path is not set; ")
    assert done.err.endswith(f"; {remedy}\n")


def test_prepare_has_nothing_to_do_where_the_collection_is(collection) -> None:
    said: list[str] = []
    WipoAlpha(WipoAlphaSettings(path=str(collection()))).prepare(said.append)
    assert said == ["wipo-alpha: nothing to prepare"]


def test_places_are_no_part_of_a_cell_s_name() -> None:
    assert locations(WipoAlphaSettings) == ["path", "mapping"]


def test_the_stamp_covers_files_and_mapping(collection, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(MAPPINGS["m.csv"])
    task = WipoAlpha(WipoAlphaSettings(path=str(collection()), mapping=str(tmp_path / "m.csv")))
    first = json.dumps(task.stamp())
    (tmp_path / "m.csv").write_text(MAPPINGS["m.csv"] + "H,wires\n")
    second = json.dumps(task.stamp())
    collection([*SMALL, ("train", "A01B 1/00", [])])
    assert len({first, second, json.dumps(task.stamp())}) == 3


@pytest.mark.parametrize("given", [{"sections": "AX"}, {"words": 0}, {"level": "group"}, {"validation_share": 1}])
def test_settings_out_of_range(given) -> None:
    with pytest.raises(UserError, match=next(iter(given))):
        resolve_settings(WipoAlphaSettings, given, "wipo-alpha")


def test_validation_comes_from_training_documents_evenly(made: MadeCollection) -> None:
    data, half = load(made.place, level="section"), load(made.place, level="section", validation_share=0.5)
    train = {record.id for record in made.records if record.split == "train"}
    assert {*data.train.ids, *data.validation.ids} == {*half.train.ids, *half.validation.ids} == train
    assert set(data.test.ids) == {record.id for record in made.records if record.split == "test"}
    assert len(data.validation) == pytest.approx(20, abs=2)
    for label in range(len(data.labels)):
        total = sum([label] == row for part in (half.train, half.validation) for row in part.labels)
        assert half.validation.labels.count([label]) == pytest.approx(total / 2, abs=1.5)


def test_training_documents_of_one_text_are_not_parted(collection) -> None:
    place = collection([("train", f"A01B {1 + number % 2}/00", []) for number in range(40)] + SMALL)
    for number in range(40):
        path = place / f"train/{number:02d}.xml"
        path.write_text(path.read_text().replace(f"title {number} of it", f"title   {number // 4} of\n it"))
    data = load(place, level="main-group", validation_share=0.4)
    assert len(data.validation) > 8
    assert not set(data.train.texts) & set(data.validation.texts)


def test_what_is_skipped_and_tolerated_is_counted(made: MadeCollection) -> None:
    data = load(made.place, text="abstract")
    without = [record.file for record in made.records if not record.abstract]
    assert sum(data.skipped.values()) == len(made.spoiled) + len(without)
    assert data.skipped["record without the text abstract"] == len(without) == 12
    assert set(data.skipped_files) == set(made.spoiled)
    assert data.labels == load(made.place, text="title").labels
    broken, entities = (
        sum(getattr(record, name) for record in made.records) for name in ("repaired", "unknown_entities")
    )
    assert broken > 0
    assert {
        "training documents: 200, published 46,324",
        "test documents: 100, published 28,926",
        f"subclasses of main codes: {len({record.main[:4] for record in made.records})}, published 451",
        f"files with broken markup, mended while reading: {broken}",
        f"entities without a known meaning, read as spaces: {entities}",
        "secondary codes that cannot be read, left out: 10",
        "records without English text, read in another language: 15",
        "files that are not .xml, or pipes and the like, not read: 1",
    } <= set(data.remarks)


def test_words(made: MadeCollection) -> None:
    short = load(made.place, words=10)
    assert {len(text.split()) for text in short.test.texts} == {10}
    assert load(made.place, words=10_000).test.texts != load(made.place).test.texts


def test_hierarchical_f1_at_four_levels_by_hand(collection) -> None:
    """Sections, classes, subclasses and main groups; every label with its ancestors makes a set of four.

    gold      given     in common
    A01B001   A01B001   4  A, A01, A01B, A01B001
    A01B003   A01B001   3  A, A01, A01B
    A02C001   B01B001   0  (the group's number is the same, and means nothing)
    B01B001   B01B001   4
    Precision and recall are (4 + 3 + 0 + 4) / 16; by level 3, 3, 3 and 2 of 4 documents are right.
    """
    data = load(collection(), level="main-group")
    assert named(data, data.test.labels) == [["A01B001"], ["A01B003"], ["A02C001"], ["B01B001"]]
    given = sets_matrix([[data.labels.names.index(name)] for name in ("A01B001", "A01B001", "B01B001", "B01B001")], 4)
    counts = np.asarray(data.train.label_matrix(4).sum(axis=0)).ravel().astype(np.int64)
    gold = data.test.label_matrix(4)
    metrics = evaluate(gold, given, None, data.labels, counts, len(data.train), data.kind).metrics
    assert metrics["hierarchical_precision"] == metrics["hierarchical_recall"] == pytest.approx(11 / 16)
    assert metrics["hierarchical_f1"] == pytest.approx(11 / 16)
    assert [metrics[f"level{level}_micro_f1"] for level in (1, 2, 3, 4)] == pytest.approx([3 / 4, 3 / 4, 3 / 4, 2 / 4])


def test_hierarchical_f1_at_two_levels_by_hand() -> None:
    """Facets and tags, as in debtags, several a document; ``special`` stands at the top and has no facet.

    gold, with facets                          given, with facets                  in common
    role, role::program, use, use::editing     role, role::data                    1  role
    special                                    special, use, use::editing          1  special
    role, role::data                           nothing                             0
    Precision 2/5, recall 2/7, F1 2 · 2 / (5 + 7) = 1/3. At level 1 the sets are {role, use} {special} {role} against
    {role} {special, use} {}: F1 2 · 2 / (4 + 3) = 4/7; at level 2 they have nothing in common.
    """
    space = LabelSpace(("role::data", "role::program", "special", "use::editing"), (("role",), ("role",), (), ("use",)))
    gold, given = sets_matrix([[1, 3], [2], [0]], 4), sets_matrix([[0], [2, 3], []], 4)
    metrics = evaluate(gold, given, None, space, np.array([5, 5, 5, 5]), 10, "multi").metrics
    assert metrics["hierarchical_precision"] == pytest.approx(2 / 5)
    assert metrics["hierarchical_recall"] == pytest.approx(2 / 7)
    assert metrics["hierarchical_f1"] == pytest.approx(1 / 3)
    assert metrics["level1_micro_f1"] == pytest.approx(4 / 7)
    assert metrics["level2_micro_f1"] == 0


def test_a_run_has_the_measures_of_patent_categorisation(bench, made: MadeCollection, tmp_path: Path) -> None:
    sets = ("--set", f"wipo-alpha.path={made.place}", "--set", "wipo-alpha.labels=all")
    done = bench("run", "-t", "wipo-alpha", "-m", "tfidf", "-m", "prior", *sets, "--out", tmp_path, "--json")
    assert done.code == 0, done.err
    metrics = {record["method"]: record["metrics"] for record in json.loads(done.out)}
    tfidf, prior = metrics["tfidf"], metrics["prior"]
    assert 0 < prior["top_prediction"] < tfidf["top_prediction"] < tfidf["three_guesses"]
    assert tfidf["top_prediction"] < tfidf["all_categories"] == pytest.approx(tfidf["p@1"])
    for path in tmp_path.glob("cells/*/record.json"):
        predictions = read_predictions(path.with_name("predictions.parquet"))
        again = patent_metrics(predictions["test"].categories, predictions["test"].ranking)
        recorded = json.loads(path.read_text())["metrics"]
        assert again == {name: recorded[name] for name in PATENT_METRICS}
        assert len(predictions["validation"].categories) == len(predictions["validation"].ids)


def test_a_stand_in_is_written_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in ((["--help"], "records"), ([], "required: folder"), ([str(tmp_path), "x"], "invalid int")):
        with pytest.raises(SystemExit):
            fixture_command(words)
        assert said in "".join(capsys.readouterr())
    assert list(tmp_path.iterdir()) == []
    fixture_command([str(tmp_path), "12"])
    assert len(list(tmp_path.rglob("WO*.xml"))) == 12
    with pytest.raises(SystemExit):
        fixture_command([str(tmp_path), "6"])
    assert "is there already" in capsys.readouterr().err
