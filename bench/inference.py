"""Labelling documents with a trained network: tokenised, in batches of like length, measured after a warm-up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from bench.backoff import in_parts_that_fit
from bench.encoding import Encoded, Padded, by_length, pad
from bench.prediction import DENSE_LABELS, RANKED, Scores, TopScores
from bench.training import Precision, autocast

if TYPE_CHECKING:
    from torch import Tensor

    from bench.method import Context

WARM_UP_DOCUMENTS = 8
"""So many documents are labelled before the speed of prediction is measured; their outcome is dropped."""

WARM_UP_FROM = 32
"""Fewer documents than these are labelled without a warm-up, which would take too large a part of the work."""

Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Inference(Generic[Outcome]):
    """How a trained network labels documents.

    Attributes:
        tokenise: Texts → token ids, with all that stands around the documents.
        forward: A batch on the device → its outcome, on the host.
        filler: Id of the padding.
        size: Documents to a batch, as far as they fit into memory; see :func:`bench.backoff.in_parts_that_fit`.
        side: Where the padding goes.
        precision: What the network computes in.
    """

    tokenise: Callable[[Sequence[str]], Encoded]
    forward: Callable[[Padded], Outcome]
    filler: int
    size: int
    side: Literal["left", "right"] = "right"
    precision: Precision = "auto"

    def batches(self, rows: Sequence[Sequence[int]], context: Context) -> Iterator[tuple[list[int], Outcome]]:
        """The outcome of rows in batches of like length, with their positions; counted in the open phase."""

        def label(chosen: Sequence[int]) -> tuple[Outcome, Padded]:
            batch = pad([rows[position] for position in chosen], self.filler, self.side)
            return self._outcome(batch, context), batch

        for together in by_length(rows, self.size):
            for chosen, (outcome, batch) in in_parts_that_fit(together, label, context):
                context.window.count(len(chosen), batch.tokens, batch.padding)
                yield chosen, outcome

    def _outcome(self, batch: Padded, context: Context) -> Outcome:
        import torch

        on_device = Padded(batch.ids.to(context.device), batch.mask.to(context.device), batch.tokens, batch.padding)
        with torch.inference_mode(), autocast(context.device, self.precision):
            return self.forward(on_device)


def predict_in_batches(
    texts: Sequence[str], inference: Inference[Outcome], context: Context
) -> Iterator[tuple[list[int], Outcome]]:
    """Label texts, tokenising them first; a few are labelled beforehand, outside of what is measured as speed.

    Notes into the record the share of truncated documents as ``truncated_share_<phase>``, and the documents to a batch
    that fitted as ``predict_batch``.

    Args:
        texts: The documents.
        inference: How.
        context: Told of the progress and of the documents and tokens done.

    Yields:
        The positions of a batch's documents and the outcome.
    """
    phase = context.phase_name
    if len(texts) >= WARM_UP_FROM:
        for _ in inference.batches(inference.tokenise(_middling(texts)).rows, context):
            pass
        context.window.warmed_up()
    encoded = inference.tokenise(texts)
    context.note(**{f"truncated_share_{phase}": encoded.truncated_share})
    done = 0
    for chosen, outcome in inference.batches(encoded.rows, context):
        done += len(chosen)
        context.progress(phase, done, len(texts))
        yield chosen, outcome
    context.note(predict_batch=context.back_off.at_most("predict_batch", inference.size))


def predict_scores(texts: Sequence[str], inference: Inference[Tensor], context: Context) -> Scores | TopScores:
    """The scores that a network gives to texts, in their order; only the best where labels are many.

    Args:
        texts: The documents.
        inference: Its outcome is a batch's scores, shape (documents, labels), on any device.
        context: See :func:`predict_in_batches`.
    """
    import numpy as np

    n_labels = context.task.n_labels
    if n_labels > DENSE_LABELS:
        return _predict_best(texts, inference, context)
    scores = np.empty((len(texts), n_labels), dtype=np.float32)
    for chosen, outcome in predict_in_batches(texts, _then(inference, lambda made: made.float().cpu()), context):
        scores[chosen] = outcome.numpy()
    return Scores(scores)


def _middling(texts: Sequence[str]) -> list[str]:
    """A few texts of middle length."""
    middle = (len(texts) - WARM_UP_DOCUMENTS) // 2
    return sorted(texts, key=len)[middle : middle + WARM_UP_DOCUMENTS]


def _then(inference: Inference[Tensor], follow: Callable[[Tensor], Outcome]) -> Inference[Outcome]:
    """The same inference, its outcome handed through one more function."""
    forward = inference.forward
    return Inference(
        inference.tokenise,
        lambda batch: follow(forward(batch)),
        inference.filler,
        inference.size,
        inference.side,
        inference.precision,
    )


def _predict_best(texts: Sequence[str], inference: Inference[Tensor], context: Context) -> TopScores:
    """The ``RANKED`` best scores of each text, chosen on the device, so that the rest never leaves it."""
    import numpy as np
    from scipy.sparse import csr_matrix

    def best(scores: Tensor) -> tuple[Tensor, Tensor]:
        top = scores.float().topk(RANKED, dim=1)
        # csr_matrix wants its columns ascending.
        columns, order = top.indices.sort(dim=1)
        return columns.cpu(), top.values.gather(1, order).cpu()

    columns = np.empty((len(texts), RANKED), dtype=np.int32)
    values = np.empty((len(texts), RANKED), dtype=np.float32)
    for chosen, (labels, scores) in predict_in_batches(texts, _then(inference, best), context):
        columns[chosen], values[chosen] = labels.numpy(), scores.numpy()
    indptr = np.arange(len(texts) + 1, dtype=np.int64) * RANKED
    shape = (len(texts), context.task.n_labels)
    return TopScores(csr_matrix((values.ravel(), columns.ravel(), indptr), shape=shape))
