"""TF-IDF of words and of runs of characters, side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from bench.errors import UserError
from bench.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

_DOCUMENTS_PER_MIN_DF = 100
_FEW_DOCUMENTS = 100
_WORD = r"(?u)\b\w+\b"  # scikit-learn's own pattern drops words of one letter, such as C and R


class FeatureSettings(Settings):
    """Settings of :class:`Features`."""

    ngrams: int = Field(2, ge=0, le=5, description="longest run of words that is a feature; 0: no words")
    characters: int = Field(
        4, ge=0, le=8, description="longest run of characters, within a word, that is a feature; 0: none"
    )
    shortest_characters: int = Field(4, ge=1, le=8, description="shortest such run, where it is below the longest")
    min_df: int = Field(
        5,
        ge=1,
        description="leave out features of fewer documents; at most one for every 100 training documents, so that "
        "a small collection keeps its words",
    )
    max_df: float = Field(1.0, gt=0, le=1, description="leave out words of more than this share of the documents")
    characters_max_df: float = Field(
        0.02,
        gt=0,
        le=1,
        description="leave out runs of characters of more than this share of the documents, and of more than 100: "
        "frequent ones cost most and say least",
    )
    max_features: int | None = Field(
        None, ge=1, description="keep only so many words, and as many runs of characters, the most frequent; all"
    )
    sublinear_tf: bool = Field(True, description="1 + log(count) in place of the count")
    stop_words: bool = Field(True, description="leave out English function words")

    @property
    def blocks(self) -> tuple[str, ...]:
        """The kinds of features."""
        wanted = {"words": self.ngrams, "characters": self.characters}
        return tuple(name for name, longest in wanted.items() if longest)


class Features:
    """Turns texts into rows of unit length, in which words and runs of characters weigh the same.

    Attributes:
        settings: Which features.
        vectorisers: Kind of features → what counts and weighs them; kinds of which the texts have none are left out.
    """

    def __init__(self, settings: FeatureSettings, vectorisers: Mapping[str, Any]) -> None:
        self.settings = settings
        self.vectorisers = vectorisers

    def __len__(self) -> int:
        return sum(len(one.vocabulary_) for one in self.vectorisers.values())

    @classmethod
    def fit(cls, texts: Sequence[str], settings: FeatureSettings) -> tuple[Features, csr_matrix]:
        """The features that occur in texts, and the rows of these texts; see :meth:`rows`.

        Raises:
            UserError: There are none.
        """
        vectorisers, found, reason = {}, [], "both ngrams and characters are 0"
        for name in settings.blocks:
            vectoriser = _vectoriser(name, settings, **_frequencies(name, settings, len(texts)))
            try:
                found.append(vectoriser.fit_transform(texts))
            except ValueError as error:  # no term at all, or none within the frequencies
                reason = str(error)
            else:
                vectorisers[name] = vectoriser
        if not found:
            raise UserError(f"the training texts leave no features for TF-IDF: {reason}")
        return cls(settings, vectorisers), _joined(found)

    def rows(self, texts: Sequence[str]) -> csr_matrix:
        """Sparse float32, shape (texts, features); a kind of features of which a text has none is zero in its row."""
        return _joined([one.transform(texts) for one in self.vectorisers.values()])

    def save(self, path: Path) -> dict[str, NDArray[np.float32]]:
        """Write the vocabulary as JSON.

        Returns:
            The weights, which :meth:`load` wants beside it.
        """
        words = {name: _by_place(one.vocabulary_) for name, one in self.vectorisers.items()}
        path.write_text(json.dumps(words), encoding="utf-8")
        return {f"idf_{name}": one.idf_ for name, one in self.vectorisers.items()}

    @classmethod
    def load(cls, path: Path, weights: Mapping[str, NDArray[np.float32]], settings: FeatureSettings) -> Features:
        """What :meth:`save` wrote."""
        vectorisers = {}
        for name, words in json.loads(path.read_text(encoding="utf-8")).items():
            vectoriser = _vectoriser(name, settings, vocabulary={word: place for place, word in enumerate(words)})
            vectoriser.idf_ = weights[f"idf_{name}"]
            vectorisers[name] = vectoriser
        return cls(settings, vectorisers)


def import_libraries() -> None:
    """Import scikit-learn, which takes a second or two: who does so first keeps it out of the time of training."""
    import sklearn.feature_extraction.text
    import sklearn.svm  # noqa: F401


def _frequencies(name: str, settings: FeatureSettings, documents: int) -> dict[str, Any]:
    """Of how many documents a feature is kept."""
    fewest = min(settings.min_df, max(1, documents // _DOCUMENTS_PER_MIN_DF))
    most = settings.max_df if name == "words" else max(_FEW_DOCUMENTS, int(settings.characters_max_df * documents))
    return {"min_df": fewest, "max_df": most, "max_features": settings.max_features}


def _vectoriser(name: str, settings: FeatureSettings, **given: Any) -> Any:
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    shared = {"sublinear_tf": settings.sublinear_tf, "dtype": np.float32, **given}
    if name == "words":
        stop_words = "english" if settings.stop_words else None
        return TfidfVectorizer(ngram_range=(1, settings.ngrams), stop_words=stop_words, token_pattern=_WORD, **shared)
    lengths = (min(settings.shortest_characters, settings.characters), settings.characters)
    return TfidfVectorizer(analyzer="char_wb", ngram_range=lengths, **shared)


def _joined(blocks: Sequence[csr_matrix]) -> csr_matrix:
    import numpy as np
    from scipy.sparse import csr_matrix, hstack

    joined = csr_matrix(hstack(blocks, format="csr", dtype=np.float32))
    joined.data *= np.float32(len(blocks) ** -0.5)
    return joined


def _by_place(vocabulary: Mapping[str, int]) -> list[str]:
    return sorted(vocabulary, key=vocabulary.__getitem__)
