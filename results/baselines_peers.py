"""One peer in a process and a virtual environment of its own; ``baselines_table.py`` calls it.

    python baselines_peers.py ROW DOCUMENTS OUT CORES SEED

``DOCUMENTS`` holds ``labels.json`` (their number) and a JSON Lines file of texts and labels for each split. ``OUT``
gets the scores of validation and test documents and what they took. Nothing of this project is imported.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

TOP = 100
"""Labels of a document that are asked of who gives its best ones."""
TOLD = {"libmultilabel", "liblinear-multicore", "omikuji", "libpecos", "numpy", "scipy", "scikit-learn"}


@dataclass(frozen=True)
class Split:
    """Documents of a split.

    Attributes:
        texts: Their texts.
        labels: Their labels' positions.
    """

    texts: list[str]
    labels: list[list[int]]

    @classmethod
    def read(cls, path: Path) -> Split:
        """From JSON Lines."""
        rows = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
        return cls([row["text"] for row in rows], [row["labels"] for row in rows])

    def __add__(self, other: Split) -> Split:
        return Split(self.texts + other.texts, self.labels + other.labels)


Predict = Callable[[Sequence[str]], Any]
"""From texts to scores: a sparse matrix, shape (documents, labels)."""


@dataclass(frozen=True)
class Setting:
    """What peers are given.

    Attributes:
        n_labels: Size of the label space.
        cores: Cores to compute on.
        seed: For those that take one.
    """

    n_labels: int
    cores: int
    seed: int


def libmultilabel(train_name: str, options: str = "") -> Callable[[Split, Setting], Predict]:
    """LibMultiLabel's linear models as its quickstart trains them, with its own features.

    Args:
        train_name: The function that trains.
        options: LIBLINEAR's; without any the library takes its own.
    """

    def fit(train: Split, setting: Setting) -> Predict:
        from libmultilabel import linear

        names = [[str(label) for label in row] for row in train.labels]
        given = {"data_format": "txt", "train": {"x": train.texts, "y": names}}
        preprocessor = linear.Preprocessor()
        ready = preprocessor.fit_transform(given)["train"]
        model = getattr(linear, train_name)(ready["y"], ready["x"], options=options, verbose=False)
        columns = [int(name) for name in preprocessor.label_mapping]

        def predict(texts: Sequence[str]) -> Any:
            return _spread(linear.predict_values(model, preprocessor.vectorizer.transform(texts)), columns, setting)

        return predict

    return fit


def omikuji(train: Split, setting: Setting) -> Predict:
    """Omikuji with the hyper-parameters that it comes with (Parabel), on scikit-learn's TF-IDF as that comes."""
    import omikuji as library
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectoriser = TfidfVectorizer()
    features = vectoriser.fit_transform(train.texts)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        with path.open("w", encoding="ascii") as stream:
            stream.write(f"{features.shape[0]} {features.shape[1]} {setting.n_labels}\n")
            for labels, pairs in zip(train.labels, _pairs(features), strict=True):
                words = (f"{feature}:{value:.9g}" for feature, value in pairs)
                stream.write(" ".join([",".join(map(str, labels)), *words]) + "\n")
        model = library.Model.train_on_data(str(path), n_threads=setting.cores)
    model.init_prediction_thread_pool(setting.cores)

    def predict(texts: Sequence[str]) -> Any:
        return _sparse([model.predict(pairs, top_k=TOP) for pairs in _pairs(vectoriser.transform(texts))], setting)

    return predict


def pecos(train: Split, setting: Setting) -> Predict:
    """XR-Linear as its page trains it, on the TF-IDF features of the page on featurisation."""
    import numpy as np
    from pecos.utils.featurization.text.preprocess import Preprocessor
    from pecos.xmc import Indexer, LabelEmbeddingFactory
    from pecos.xmc.xlinear.model import XLinearModel

    parts = (([1, 1], "word"), ([2, 2], "word"), ([3, 3], "char_wb"))
    chosen = [{"ngram_range": ngrams, "max_df_ratio": 0.98, "analyzer": analyser} for ngrams, analyser in parts]
    config = {"type": "tfidf", "kwargs": {"base_vect_configs": chosen, "threads": setting.cores}}
    features = Preprocessor.train(train.texts, config)
    known = features.predict(train.texts, threads=setting.cores)
    ones = [[(label, 1.0) for label in row] for row in train.labels]
    targets = _sparse(ones, setting).tocsc().astype(np.float32)
    groups = LabelEmbeddingFactory.create(targets, known, method="pifa", threads=setting.cores)
    clusters = Indexer.gen(groups, indexer_type="hierarchicalkmeans", seed=setting.seed, threads=setting.cores)
    with tempfile.TemporaryDirectory() as folder:  # its page says that what is loaded like this predicts faster
        XLinearModel.train(known, targets, C=clusters, threads=setting.cores).save(folder)
        model = XLinearModel.load(folder, is_predict_only=True)

    def predict(texts: Sequence[str]) -> Any:
        found = features.predict(list(texts), threads=setting.cores)
        return model.predict(found, only_topk=TOP, threads=setting.cores).tocsr()

    return predict


PEERS: dict[str, Callable[[Split, Setting], Predict]] = {
    "libmultilabel-1vsrest": libmultilabel("train_1vsrest"),
    "libmultilabel-1vsrest-l2svm": libmultilabel("train_1vsrest", "-s 2 -B 1 -e 0.0001 -q"),
    "libmultilabel-1vsrest-more": libmultilabel("train_1vsrest"),
    "libmultilabel-thresholding": libmultilabel("train_thresholding"),
    "libmultilabel-cost-sensitive": libmultilabel("train_cost_sensitive"),
    "omikuji": omikuji,
    "pecos": pecos,
}
IMPORTS = {
    "libmultilabel": ("psutil", "libmultilabel.linear"),
    "omikuji": ("omikuji", "sklearn.feature_extraction.text"),
    "pecos": ("pecos.utils.featurization.text.preprocess", "pecos.xmc.xlinear.model"),
}
"""Library → what it needs, imported before anything is timed."""
WITH_VALIDATION = {"libmultilabel-1vsrest-more"}
"""Rows that are trained on the validation documents too."""


def main(row: str, documents: Path, out: Path, setting: Setting) -> None:
    """Train, predict, and leave the scores and ``facts.json``."""
    from scipy.sparse import save_npz

    train, validation, test = (Split.read(documents / f"{name}.jsonl") for name in ("train", "validation", "test"))
    if row in WITH_VALIDATION:
        train += validation
    prepare(row, setting)
    started = time.perf_counter()
    predict = PEERS[row](train, setting)
    trained = time.perf_counter()
    scores = predict(test.texts)
    predicted = time.perf_counter()
    peak = peak_mib()
    save_npz(out / "test.npz", scores)
    asked = time.perf_counter()
    save_npz(out / "validation.npz", predict(validation.texts))
    facts = {
        "train_seconds": trained - started,
        "predict_seconds": predicted - trained,
        "validate_seconds": time.perf_counter() - asked,
        "peak_mib": peak,
        "train_documents": len(train.texts),
        "versions": versions(),
    }
    (out / "facts.json").write_text(json.dumps(facts), "utf-8")


def prepare(row: str, setting: Setting) -> None:
    """Import the library of a row, and keep it to the cores: LibMultiLabel starts a thread for each that it counts."""
    for module in IMPORTS[row.partition("-")[0]]:
        importlib.import_module(module)
    if "psutil" in sys.modules:
        sys.modules["psutil"].cpu_count = lambda **_: setting.cores  # type: ignore[attr-defined]


def versions() -> dict[str, str]:
    """Of the libraries that matter, as far as they are here."""
    found = {found.metadata["Name"].lower(): found.version for found in distributions()}
    return {name: version for name, version in sorted(found.items()) if name in TOLD}


def peak_mib() -> float:
    """The most resident memory that this process has had.

    The kernel's mark of this program; ``getrusage`` also holds what the program was that started it.
    """
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise OSError("/proc/self/status has no VmHWM: peak memory is read on Linux only")


def _spread(scores: Any, columns: Sequence[int], setting: Setting) -> Any:
    """Dense scores of some labels as a sparse matrix of all."""
    import numpy as np
    from scipy.sparse import csr_matrix

    n, k = scores.shape
    parts = (np.asarray(scores, dtype=np.float32).ravel(), np.tile(columns, n), np.arange(n + 1) * k)
    matrix = csr_matrix(parts, shape=(n, setting.n_labels))
    matrix.sort_indices()
    return matrix


def _sparse(rows: Sequence[Sequence[tuple[int, float]]], setting: Setting) -> Any:
    import numpy as np
    from scipy.sparse import csr_matrix

    indptr = np.cumsum([0, *(len(row) for row in rows)])
    labels = np.array([label for row in rows for label, _ in row], dtype=np.int64)
    scores = np.array([score for row in rows for _, score in row], dtype=np.float32)
    matrix = csr_matrix((scores, labels, indptr), shape=(len(rows), setting.n_labels))
    matrix.sort_indices()
    return matrix


def _pairs(matrix: Any) -> list[list[tuple[int, float]]]:
    bounds = zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)
    return [list(zip(matrix.indices[a:b].tolist(), matrix.data[a:b].tolist(), strict=True)) for a, b in bounds]


if __name__ == "__main__":
    _row, _documents, _out, _cores, _seed = sys.argv[1:]
    _n_labels = json.loads((Path(_documents) / "labels.json").read_text("utf-8"))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # bars that libraries draw
    main(_row, Path(_documents), Path(_out), Setting(_n_labels, int(_cores), int(_seed)))
