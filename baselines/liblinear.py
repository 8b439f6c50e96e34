"""One machine of LIBLINEAR: a support vector machine with squared hinge, or a logistic regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from baselines.linear_model import ALWAYS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

Classifier = Literal["svm", "logistic"]
ClassWeight = Literal["none", "damped", "balanced"]

# LIBLINEAR's numbers of its primal solvers, which draw no random numbers: the dual ones draw from a state that threads
# would share. https://www.csie.ntu.edu.tw/~cjlin/liblinear/
_SOLVERS: dict[Classifier, int] = {"logistic": 0, "svm": 2}
_EXPONENTS: dict[ClassWeight, float] = {"none": 0.0, "damped": 0.25, "balanced": 1.0}
_ITERATIONS = 1000


@dataclass(frozen=True)
class LinearSettings:
    """How each machine is trained.

    Attributes:
        classifier: Squared hinge or logistic loss.
        c: Inverse strength of the L2 penalty.
        class_weight: What a training document of the label counts beside one without it, from the ratio of their
            numbers (negatives / positives): 1, the ratio's fourth root, or the ratio.
        tolerance: Relative tolerance at which training stops.
        prune: Weights of at most this magnitude are dropped.
    """

    classifier: Classifier = "svm"
    c: float = 1.0
    class_weight: ClassWeight = "none"
    tolerance: float = 0.1
    prune: float = 0.0


@dataclass(frozen=True)
class Machine:
    """A separating plane.

    Attributes:
        features: int32, those whose weight is held, ascending.
        weights: float32, one for each of them.
        intercept: What is added.
    """

    features: NDArray[np.int32]
    weights: NDArray[np.float32]
    intercept: float

    def cut(self, most: int) -> Machine:
        """The machine with so many weights at most, the greatest in magnitude; of equals the first."""
        import numpy as np

        if len(self.features) <= most:
            return self
        kept = np.sort(np.argsort(-np.abs(self.weights), kind="stable")[:most])
        return Machine(self.features[kept], self.weights[kept], self.intercept)


def train_machine(features: csr_matrix, positive: NDArray[np.bool_], settings: LinearSettings) -> Machine:
    """Train one machine.

    Args:
        features: Sparse, float32 or float64, 32-bit indices, shape (documents, features).
        positive: Whether a document has the label, shape (documents,).
        settings: How.
    """
    import numpy as np

    # LinearSVC spends five times as long on its checks as LIBLINEAR on a label of a few documents, of which there may
    # be hundreds of thousands; and this lets go of the interpreter's lock, as LinearSVC does.
    from sklearn.svm import _liblinear

    positives = int(positive.sum())
    if positives == len(positive):
        return Machine(np.empty(0, np.int32), np.empty(0, np.float32), ALWAYS)
    _liblinear.set_verbosity_wrap(0)
    found, _ = _liblinear.train_wrap(
        features,
        positive.astype(np.float64),
        True,
        _SOLVERS[settings.classifier],
        settings.tolerance,
        1.0,
        settings.c,
        np.array([1.0, ((len(positive) - positives) / positives) ** _EXPONENTS[settings.class_weight]]),
        _ITERATIONS,
        0,
        0.1,
        np.ones(len(positive)),
    )
    weights = found[0, :-1].astype(np.float32)
    held = np.flatnonzero(np.abs(weights) > settings.prune).astype(np.int32)
    return Machine(held, weights[held], float(found[0, -1]))
