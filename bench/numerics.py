"""Whether what a network computes in bfloat16 is what it would compute in float32, seen on a few documents.

Kernels differ by precision: some are fast and wrong, on some devices, for some architectures. What a record says of a
method then says something of the kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from bench.method import QuietInstruments
from bench.prediction import Ranking, Scores, TopScores, rank
from bench.training import Precision, compute_dtype

if TYPE_CHECKING:
    from bench.method import Context
    from bench.record import Record
    from bench.task import Documents

PROBED = 64
"""So many documents are labelled in both precisions."""

MOST_CHANGED = 0.05
"""Where more of the documents than this get another best label, the precision strays."""

MOST_APART = 0.25
"""Where a score moves by more than this part of the standard deviation of all scores, it strays as well.

bfloat16 keeps eight bits of a number; what that does to a network's scores is far less than their spread.
"""


@dataclass(frozen=True)
class Numerics:
    """How scores in a low precision compare with those in float32.

    Attributes:
        precision: The low one.
        documents: How many were labelled in both.
        greatest_difference: Of a score, absolute.
        spread: Standard deviation of the scores in float32.
        changed_share: Part of the documents whose best label is another.
        strays: Whether that is more than rounding: see :data:`MOST_CHANGED` and :data:`MOST_APART`.
    """

    precision: str
    documents: int
    greatest_difference: float
    spread: float
    changed_share: float
    strays: bool


def probe_numerics(
    predict: Callable[[Sequence[str], Context, Precision], Scores | TopScores],
    documents: Documents,
    precision: Precision,
    context: Context,
) -> None:
    """Label some documents in the precision in use and in float32; note ``numerics`` into the record.

    Where the precision in use is float32 there is nothing to compare and nothing is noted.

    Args:
        predict: Labels texts in a precision.
        documents: The seed ``numerics`` chooses among these, every label in its share.
        precision: What the settings say.
        context: Has the phase ``probe`` open meanwhile.
    """
    from bench.splitting import sample

    dtype = str(compute_dtype(context.device, precision)).removeprefix("torch.")
    if dtype == "float32":
        return
    keys = [f"{context.seeds.of('numerics')} {id_}" for id_ in documents.ids]
    texts = documents.take(sample(keys, documents.labels, PROBED)).texts
    with context.phase("probe"):
        unmeasured = replace(context, instruments=QuietInstruments())
        low, full = predict(texts, unmeasured, "bfloat16"), predict(texts, unmeasured, "float32")
    context.note(numerics=asdict(compared(dtype, rank(low), rank(full))))


def compared(precision: str, low: Ranking, full: Ranking) -> Numerics:
    """The comparison of two rankings of the same documents, over the labels that stand in both."""
    import numpy as np

    difference = max((_apart(low, full, row) for row in range(len(full))), default=0.0)
    changed = float(np.mean(low.labels[:, 0] != full.labels[:, 0])) if len(full) else 0.0
    spread = float(np.std(full.scores[full.labels >= 0], dtype=np.float64)) if len(full) else 0.0
    strays = changed > MOST_CHANGED or difference > MOST_APART * spread
    return Numerics(precision, len(full), difference, spread, changed, strays)


def stray_line(record: Record) -> str | None:
    """What to tell of a record whose precision strays; None where it does not, or where nobody looked."""
    found: Any = record.facts.get("numerics")
    # A method may note anything.
    if not isinstance(found, dict) or found.get("strays") is not True:
        return None
    try:
        return (
            f"computed in {found['precision']}, which strays from float32: of {found['documents']} documents "
            f"{found['changed_share']:.0%} get another best label, and scores differ by up to "
            f"{found['greatest_difference']:.3g}; set precision=float32"
        )
    except (KeyError, TypeError, ValueError):
        return None


def _apart(low: Ranking, full: Ranking, row: int) -> float:
    """The greatest difference of a score of one document."""
    scores = dict(zip(low.labels[row].tolist(), low.scores[row].tolist(), strict=True))
    pairs = zip(full.labels[row].tolist(), full.scores[row].tolist(), strict=True)
    return max((abs(score - scores[label]) for label, score in pairs if label >= 0 and label in scores), default=0.0)
