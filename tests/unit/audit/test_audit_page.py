"""The page about ``bench inspect`` says what the rules do."""

import re
from pathlib import Path

import pytest

from bench.audit import findings, floors, label_names, lengths, near_duplicates

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/inspect.md").read_text()
RULES = dict(re.findall(r"^\| `([a-z][a-z-]+)` \| (.+) \|$", PAGE, re.MULTILINE))


def test_every_rule_is_on_the_page_and_no_other():
    names = set(re.findall(r'"([a-z]+(?:-[a-z]+)+|trivial|truncation)"', Path(findings.__file__).read_text()))
    assert names == set(RULES)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("few-test-documents", f"fewer than {findings.FEW_TEST_DOCUMENTS} "),
        ("ruling-label", f"more than {findings.RULING_SHARE:.0%}"),
        ("texts-across-splits", f"fault above {findings.EQUAL_FAULT:.0%}"),
        ("near-duplicates-across-splits", f"fault above {findings.NEAR_FAULT:.0%}"),
        ("words-tell-nothing", f"less than {findings.SHUFFLED_DEVIATIONS} standard deviations"),
        ("conflicting-labels", f"fault above {findings.CONFLICT_FAULT:.0%}"),
        ("labels-only-in-test", f"more than {findings.UNTRAINED_FAULT:.0%}"),
        ("label-names-in-texts", f"more than {findings.NAMES_NOTE:.0%}"),
        ("label-names-in-texts", f"fault above {findings.NAMES_FAULT:.0%}"),
        ("truncation", f"more than {findings.TRUNCATION_NOTE:.0%}"),
        ("truncation", f"{findings.TRUNCATION_LIMIT} tokens"),
        ("repeated-texts", f"more than {findings.REPEATED_NOTE:.0%}"),
        ("trivial", f"above {findings.TRIVIAL_SCORE}"),
        ("skipped-records", f"more than {findings.SKIPPED_NOTE:.0%}"),
    ],
)
def test_thresholds_are_those_of_the_code(rule, said):
    assert said.replace("%", " %") in RULES[rule]


@pytest.mark.parametrize(
    "said",
    [
        f"at least {near_duplicates.THRESHOLD}",
        f"runs of {near_duplicates.SHINGLE_WORDS} words",
        f"{near_duplicates.PERMUTATIONS} permutations",
        f"most {near_duplicates.MOST_QUERIED:,} documents of a held-out split",
        f"compared {near_duplicates.MOST_COMPARED:,} times",
        f"most {lengths.MOST_TOKENISED:,} documents a split",
        f"most {label_names.MOST_READ:,} documents of a split are read",
        f"names over {label_names.LONGEST_NAME} words",
        f"most {floors.MOST_TRAINED:,} documents",
        f"{floors.MOST_CHARACTERS:,} characters",
        f"{floors.MOST_LABELS} most frequent labels",
        f"most {floors.MOST_SCORED:,} documents",
        f"{floors.SHUFFLES} times",
    ],
)
def test_caps_are_those_of_the_code(said):
    assert said in " ".join(PAGE.split())
