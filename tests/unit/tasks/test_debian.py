from __future__ import annotations

import bz2
import gzip
import itertools
import lzma
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.task import Availability, TaskData
from tasks.apt_lists import Package, clean_description, expand_tags, field, find_lists, read_lists
from tasks.debian import LISTS, DebianSections, DebianSettings, Debtags
from tasks.source_splits import split_of, split_sources

BASE = "archive_dists_stable_main"
PACKAGES = f"{BASE}_binary-amd64_Packages"
TRANSLATION = f"{BASE}_i18n_Translation-en"

SMALL_PACKAGES = """Package: alpha
Source: alpha-src (1.0-2)
Version: 1.0
Tag: implemented-in::{c,c++}, interface::x11,
 role::program,
 use::editing
Section: universe/editors
Description: edits
Description-md5: 00000000000000000000000000000001

Package: beta
Description: draws
Description-md5: 00000000000000000000000000000002
Section: graphics


Package: copy-of-alpha
Section: oldlibs
Tag: role::dummy
Description-md5: 00000000000000000000000000000001

Package: nosection
Tag: role::app-data
Description-md5: 00000000000000000000000000000003

Package: nomd5
Section: net
Description: has no sum

Package: foreign
Section: net
Description-md5: ffffffffffffffffffffffffffffffff
"""
SMALL_TRANSLATION = """Package: alpha
Description-md5: 00000000000000000000000000000001
Description-en: edits texts
 A long line of
 flowing words.
 .
 Features:
  * one
  * two
 The end.

Package: beta
Description-md5: 00000000000000000000000000000002
Description-en: draws
 Draws curves – caf\u00e9.

Package: nosection
Description-md5: 00000000000000000000000000000003
Description-en: data only
"""


def write_small(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{PACKAGES}.gz").write_bytes(gzip.compress(SMALL_PACKAGES.encode()))
    (folder / TRANSLATION).write_text(SMALL_TRANSLATION)
    return folder


def big_lists(folder: Path, order: int = 1) -> Path:
    """Sources with two packages each, in two components; every tenth long description is shared by two sources."""
    folder.mkdir()
    for part in range(2):
        stanzas, descriptions = [], []
        for number in range(part, 400, 2):
            source, body = f"source{number // 2:03d}", number // 20 if number % 20 in {0, 9} else 1000 + number
            stanzas.append(
                f"Package: package{number:03d}\nSource: {source}\nSection: s{number % 25 if number % 3 else 0:02d}\n"
                f"Tag: role::r{number % 5}, use::u{number % 7}\nDescription-md5: {number:032x}"
            )
            descriptions.append(
                f"Package: package{number:03d}\nDescription-md5: {number:032x}\n"
                f"Description-en: short {number}\n body {body} of it"
            )
        name = f"archive{part * order % 3}_dists_main"
        (folder / f"{name}_binary-amd64_Packages").write_text("\n\n".join(stanzas[::order]) + "\n")
        (folder / f"{name}_i18n_Translation-en").write_text("\n\n".join(descriptions[::order]) + "\n")
    return folder


def packages(folder: Path) -> dict[str, Package]:
    return {package.name: package for package in read_lists(find_lists(folder)).packages}


def sources_by_split(data: TaskData, folder: Path) -> dict[str, set[str]]:
    known = packages(folder)
    return {split: {known[id_].source for id_ in documents.ids} for split, documents in data.splits()}


def assert_disjoint(groups: dict[str, set[str]]) -> None:
    for one, other in itertools.combinations(groups.values(), 2):
        assert not one & other


def test_fields_and_descriptions_are_joined(tmp_path: Path) -> None:
    lists = read_lists(find_lists(write_small(tmp_path)))
    by_name = {package.name: package for package in lists.packages}
    assert list(by_name) == ["alpha", "beta", "copy-of-alpha", "nosection"]
    alpha = by_name["alpha"]
    assert (alpha.source, alpha.section) == ("alpha-src", "editors")
    assert alpha.tags == (
        "implemented-in::c",
        "implemented-in::c++",
        "interface::x11",
        "role::program",
        "use::editing",
    )
    assert alpha.description.text == (
        "edits texts\n\nA long line of flowing words.\n\nFeatures:\n* one\n* two\nThe end."
    )
    assert by_name["beta"].source == "beta"
    assert by_name["beta"].description.body == "Draws curves – café."
    assert by_name["nosection"].description.text == "data only"
    assert lists.skipped == {"no description in Translation-en": 2}
    assert lists.skipped_files == ()


def test_the_first_labelled_package_stands_for_a_shared_text(tmp_path: Path) -> None:
    lists = write_small(tmp_path)
    lone = SMALL_PACKAGES.replace("Tag: implemented-in::{c,c++}, interface::x11,\n role::program,\n use::editing\n", "")
    assert field(lone.encode(), b"Tag")  # of another package
    (lists / f"{PACKAGES}.gz").write_bytes(gzip.compress(lone.encode()))
    tags = Debtags(DebianSettings(lists=str(lists))).load()
    labelled = {
        id_: [tags.labels.names[label] for label in row]
        for _, part in tags.splits()
        for id_, row in zip(part.ids, part.labels, strict=True)
    }
    assert labelled == {"copy-of-alpha": ["role::dummy"], "nosection": ["role::app-data"]}


def test_sections_lose_their_component_and_missing_ones_are_counted(tmp_path: Path) -> None:
    data = DebianSections(DebianSettings(lists=str(write_small(tmp_path)))).load()
    assert data.labels.names == ("editors", "graphics")
    assert data.kind == "single"
    assert data.skipped == {
        "no description in Translation-en": 2,
        "package without a section": 1,
        "text or name of another document": 1,
    }


@pytest.mark.parametrize(("suffix", "pack"), [(".xz", lzma.compress), (".bz2", bz2.compress), (".gz", gzip.compress)])
def test_standard_compressions_need_no_apt(tmp_path: Path, suffix: str, pack: object) -> None:
    write_small(tmp_path)
    (tmp_path / f"{TRANSLATION}{suffix}").write_bytes(pack(SMALL_TRANSLATION.encode()))  # type: ignore[operator]
    (tmp_path / TRANSLATION).unlink()
    assert not find_lists(tmp_path).need_helper
    assert "alpha" in packages(tmp_path)


def test_a_broken_file_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    write_small(tmp_path)
    whole = gzip.compress(b"Package: omega\n" * 1000)
    (tmp_path / f"other_{PACKAGES}.gz").write_bytes(whole[:30])
    lists = read_lists(find_lists(tmp_path))
    assert lists.skipped_files == (f"other_{PACKAGES}.gz",)
    assert len(lists.packages) == 4


def test_bad_utf8_is_replaced(tmp_path: Path) -> None:
    write_small(tmp_path)
    (tmp_path / TRANSLATION).write_bytes(SMALL_TRANSLATION.encode("latin-1", "replace"))
    assert "caf\ufffd" in packages(tmp_path)["beta"].description.body


def test_other_files_are_not_lists(tmp_path: Path) -> None:
    for name in ("x_InRelease", "x_Packages.IndexDiff", "x_Translation-en_GB", "x_Translation-de", "lock"):
        (tmp_path / name).touch()
    (tmp_path / "partial").mkdir()
    assert find_lists(tmp_path).all == ()


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("a::b", ("a::b",)),
        ("implemented-in::{c,c++}, use::x", ("implemented-in::c", "implemented-in::c++", "use::x")),
        ("a::{b}, a::b,, ", ("a::b",)),
        ("a::{b, c}-d", ("a::b-d", "a::c-d")),
    ],
)
def test_tags_expand(value: str, tags: tuple[str, ...]) -> None:
    assert expand_tags(value) == tags


def test_a_verbatim_line_does_not_flow() -> None:
    assert clean_description("s\n one\n  two\n  three\n four\n five").body == "one\ntwo\nthree\nfour five"


@pytest.mark.parametrize("task", [DebianSections, Debtags])
def test_splits_share_no_source_no_text_and_no_long_description(
    tmp_path: Path, task: type[DebianSections] | type[Debtags]
) -> None:
    folder = big_lists(tmp_path / "lists")
    data = task(DebianSettings(lists=str(folder))).load()
    data.check()
    assert_disjoint(sources_by_split(data, folder))
    assert_disjoint({split: set(part.texts) for split, part in data.splits()})
    assert_disjoint({split: {text.partition("\n\n")[2] for text in part.texts} for split, part in data.splits()})


@pytest.mark.parametrize("task", [DebianSections, Debtags])
def test_the_order_of_files_and_stanzas_plays_no_part(
    tmp_path: Path, task: type[DebianSections] | type[Debtags]
) -> None:
    one, other = (task(DebianSettings(lists=str(big_lists(tmp_path / str(order), order)))).load() for order in (1, -1))
    assert one.fingerprint() == other.fingerprint()


def test_the_twenty_most_frequent_sections_are_kept(tmp_path: Path) -> None:
    data = DebianSections(DebianSettings(lists=str(big_lists(tmp_path / "lists")))).load()
    assert len(data.labels) == 20
    assert data.labels.names == tuple(sorted(data.labels.names))
    kept = sum(len(part) for _, part in data.splits())
    assert kept + data.skipped["section is none of the 20 most frequent"] == 400


def test_tags_have_their_facet_above_them(tmp_path: Path) -> None:
    labels = Debtags(DebianSettings(lists=str(big_lists(tmp_path / "lists")))).load().labels
    assert labels.ancestors is not None
    assert dict(zip(labels.names, labels.ancestors, strict=True))["use::u3"] == ("use",)


def test_split_shares() -> None:
    splits = [split_of(f"source{number}") for number in range(20_000)]
    assert splits.count("train") / 20_000 == pytest.approx(0.75, abs=0.02)
    assert splits.count("validation") / 20_000 == pytest.approx(0.05, abs=0.01)


def test_a_chain_of_shared_descriptions_stays_together() -> None:
    def package(source: str, body: str) -> Package:
        return Package(source + body, source, "", (), clean_description(f"of {source}\n {body}"))

    names = [f"link{number}" for number in range(200)]
    chain = [package(name, f"{number + step}") for number, name in enumerate(names) for step in (0, 1)]
    assert len(set(split_sources(chain).values())) == 1
    assert len(set(split_sources(chain[::2]).values())) == 3


def test_availability_names_what_is_missing(tmp_path: Path) -> None:
    task = Debtags(DebianSettings(lists=str(tmp_path / "none")))
    assert task.availability().remedy == "bench prepare debian"
    assert "package lists" in task.availability().reason
    write_small(tmp_path)
    (tmp_path / TRANSLATION).unlink()
    assert "Translation-en" in Debtags(DebianSettings(lists=str(tmp_path))).availability().reason
    write_small(tmp_path)
    assert Debtags(DebianSettings(lists=str(tmp_path))).availability() == Availability()


def test_loading_without_lists_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="bench prepare debian"):
        Debtags(DebianSettings(lists=str(tmp_path))).load()


def test_the_stamp_follows_the_files(tmp_path: Path) -> None:
    task = Debtags(DebianSettings(lists=str(write_small(tmp_path))))
    before = task.stamp()
    assert before == task.stamp()
    os.utime(tmp_path / TRANSLATION, ns=(1, 1))
    assert task.stamp() != before


def test_prepare_leaves_complete_lists_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    said: list[str] = []
    Debtags(DebianSettings(lists=str(write_small(tmp_path)))).prepare(said.append)
    assert "nothing to do" in said[0]


def fake_apt_get(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    (folder / "apt-get").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_prepare_runs_apt_as_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready, lists = write_small(tmp_path / "ready"), tmp_path / "lists"
    fake_apt_get(tmp_path / "bin", f"echo $* >{tmp_path}/called; cp -r {ready} {lists}", monkeypatch)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    Debtags(DebianSettings(lists=str(lists))).prepare(lambda _: None)
    expected = f"-o Acquire::Languages=en -o Dir::State::Lists={lists} update"
    assert (tmp_path / "called").read_text().strip() == expected


def test_prepare_without_root_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_apt_get(tmp_path / "bin", "exit 1", monkeypatch)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UserError, match=r"sudo apt-get -o Acquire::Languages=en .*update"):
        Debtags(DebianSettings(lists=str(tmp_path / "none"))).prepare(lambda _: None)


@pytest.mark.parametrize(
    ("script", "message"), [("echo E: broken >&2; exit 100", "E: broken"), ("exit 0", "still no package lists")]
)
def test_prepare_reports_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str) -> None:
    fake_apt_get(tmp_path / "bin", script, monkeypatch)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UserError, match=message):
        Debtags(DebianSettings(lists=str(tmp_path / "none"))).prepare(lambda _: None)


def test_modules_of_tasks_import_nothing_heavy() -> None:
    code = "import sys, tasks.debian, tasks.synthetic; print({'numpy', 'torch', 'pandas', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.skipif(not Debtags().availability().ok, reason="this machine has no apt lists with English translations")
def test_the_lists_of_this_machine() -> None:
    data = Debtags().load()
    data.check()
    assert data.skipped_files == ()
    assert sum(len(part) for _, part in data.splits()) > 0
    assert_disjoint(sources_by_split(data, Path(LISTS)))
    assert_disjoint({split: {" ".join(text.split()) for text in part.texts} for split, part in data.splits()})
