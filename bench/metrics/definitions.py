"""The name and the exact definition of every metric, for captions. Imports nothing heavy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

CUTOFFS = (1, 3, 5)
"""The k of every ``@k`` metric."""


@dataclass(frozen=True)
class Propensity:
    """Constants of the propensity model of Jain et al. (KDD 2016), 1/p = 1 + C (N_l + B)^-A.

    Attributes:
        a: A; 0.5 for Wikipedia, 0.6 for Amazon, 0.55 otherwise.
        b: B; 0.4 for Wikipedia, 2.6 for Amazon, 1.5 otherwise.
    """

    a: float = 0.55
    b: float = 1.5


DEFAULT_PROPENSITY = Propensity()


@dataclass(frozen=True)
class Bucket:
    """Labels grouped by how many training documents they have.

    Attributes:
        name: Prefix of its metrics.
        low: Fewest training documents.
        high: Most training documents; None without a bound.
    """

    name: str
    low: int
    high: int | None

    @property
    def span(self) -> str:
        """The range of training documents in words."""
        if self.high is None:
            return f"more than {self.low - 1}"
        return str(self.low) if self.low == self.high else f"{self.low} to {self.high}"


BUCKETS = (Bucket("head", 101, None), Bucket("torso", 11, 100), Bucket("tail", 1, 10), Bucket("unseen", 0, 0))
"""Fixed cut-offs, so that figures of different runs stay comparable. Together they hold every label once."""

_SETS = {
    "micro_precision": "ΣTP / (ΣTP + ΣFP) over all labels and documents; 0 where nothing is predicted; in single-label "
    "tasks every document counts as one answer, given or not, so that it equals accuracy",
    "micro_recall": "ΣTP / (ΣTP + ΣFN) over all labels and documents; 0 where nothing is to be found; equals accuracy "
    "in single-label tasks",
    "micro_f1": "2ΣTP / (2ΣTP + ΣFP + ΣFN) over all labels and documents; in single-label tasks a document "
    "without an answer counts as a wrong answer, so that it equals accuracy",
    "macro_f1": "mean F1 over the labels that occur in training or test documents; a label never found counts 0; a "
    "document without an answer is a false negative of its gold labels and a false positive of none",
    "macro_f1_supported": "mean F1 over the labels that occur in test documents only",
    "weighted_f1": "mean F1 over labels, weighted by their number of test documents",
    "samples_f1": "mean over documents of 2|gold ∩ predicted| / (|gold| + |predicted|); both empty counts 1",
    "exact_match": "share of documents whose predicted labels are exactly the gold ones (subset accuracy; plain "
    "accuracy for single-label tasks)",
}
SET_METRICS = tuple(_SETS)
"""Metrics of label sets, in order."""
_AT_K = {
    "p": "mean |top {k} ∩ gold| / {k}, always divided by {k}",
    "r": "mean |top {k} ∩ gold| / |gold|",
    "rp": "mean |top {k} ∩ gold| / min({k}, |gold|)",
    "ndcg": "mean nDCG at {k}, binary gain, discount log2(rank + 1), ideal list of min({k}, |gold|) labels",
    "hit": "share of documents with a gold label among the top {k}",
    "psp": "propensity-scored precision at {k}, natural logarithm, propensities from the training documents with "
    "A={a:g}, B={b:g}; summed over documents and divided by the best attainable sum",
}
_COUNTED = "; documents without gold labels score 0 and are counted"
_MRR = "mean 1 / rank of the first gold label, 0 where the stored ranking holds none"
_BUCKET = {
    "labels": "number of labels with {span} training documents that occur in test documents; a count, not a score",
    "macro_f1": "mean F1 over the test labels with {span} training documents",
    "recall": "ΣTP / (ΣTP + ΣFN) over the labels with {span} training documents",
    "p@5": "what labels with {span} training documents add to p@5; head, torso, tail and unseen sum to it",
}
_KIRITCHENKO = "over label sets augmented with all ancestors, root excluded (Kiritchenko), summed over documents"
_UNANSWERED = "; in single-label tasks a document without an answer counts as given |gold| wrong ones"
_HIERARCHY = {
    "hierarchical_precision": f"Σ|gold ∩ predicted| / Σ|predicted| {_KIRITCHENKO}{_UNANSWERED}",
    "hierarchical_recall": f"Σ|gold ∩ predicted| / Σ|gold| {_KIRITCHENKO}",
    "hierarchical_f1": f"harmonic mean of hierarchical precision and recall, {_KIRITCHENKO}",
}
RANKING_METRICS = (*(f"{name}@{k}" for name in _AT_K for k in CUTOFFS), "mrr")
"""Metrics that need a ranking, in order."""

_FALL = "Fall et al. (SIGIR Forum 37(1), 2003); documents without known categories do not count"
_PATENTS = {
    "top_prediction": f"share of documents whose main category is ranked first; {_FALL}",
    "three_guesses": f"share of documents whose main category is among the top 3; {_FALL}",
    "all_categories": f"share of documents whose first-ranked category is any of theirs; {_FALL}",
}
PATENT_METRICS = tuple(_PATENTS)
"""Metrics of tasks whose documents have a main category, in order."""

_LEVEL = (
    "micro-F1 after every label is replaced by its ancestor at level {level} (or itself, at its own level); labels "
)
_LEVEL += "above that level are left out; in single-label tasks a document without an answer counts as a wrong one"
_LEVEL_NAME = re.compile(r"level([1-9]\d*)_micro_f1")


def _define(propensity: Propensity) -> Mapping[str, str]:
    constants = {"a": propensity.a, "b": propensity.b}
    at_k = {f"{name}@{k}": text.format(k=k, **constants) for name, text in _AT_K.items() for k in CUTOFFS}
    # psp is a ratio of sums: a document without gold labels adds nothing above or below the line.
    ranked = {name: text if name.startswith("psp") else text + _COUNTED for name, text in at_k.items()}
    buckets = {f"{b.name}_{name}": text.format(span=b.span) for b in BUCKETS for name, text in _BUCKET.items()}
    return MappingProxyType({**_SETS, **ranked, "mrr": _MRR + _COUNTED, **buckets, **_HIERARCHY, **_PATENTS})


DEFINITIONS: Mapping[str, str] = _define(DEFAULT_PROPENSITY)
"""Metric → its definition in one line, in the order of :func:`bench.metrics.evaluate.evaluate`. The metrics of levels
(``level1_micro_f1``, …) are as many as the hierarchy is deep: :func:`describe` knows them too."""


def describe(name: str, propensity: Propensity = DEFAULT_PROPENSITY) -> str:
    """The definition of a metric in one line.

    Args:
        name: Any name that :func:`bench.metrics.evaluate.evaluate` can emit.
        propensity: The constants that ``psp@k`` was computed with.

    Raises:
        KeyError: There is no such metric.
    """
    level = _LEVEL_NAME.fullmatch(name)
    if level:
        return _LEVEL.format(level=level[1])
    known = DEFINITIONS if propensity == DEFAULT_PROPENSITY else _define(propensity)
    if name not in known:
        raise KeyError(f"no metric is called {name!r}")
    return known[name]
