"""How many floating-point operations a cell takes.

A token costs a linear layer two operations for each weight, forward; the gradient of its inputs costs as many again,
and that of its weights, where they are trained, as many once more: the 6 N of Kaplan et al. (arXiv 2001.08361) is 4 N
where the weights are frozen and adapters learn beside them, and 2 N where nothing learns. Attention adds four
operations for each value of a query and each token that it sees.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.estimating.anatomy import Anatomy
from bench.work import Reading, Work

PADDING = 1.05
"""Tokens with padding over those without, in batches of documents of like length."""


@dataclass(frozen=True)
class Compute:
    """The operations of one kind of work.

    Attributes:
        anatomy: The network.
        work: What it does.
    """

    anatomy: Anatomy
    work: Work

    def forward(self, length: float) -> float:
        """Operations of a token in a document of so many, half of which a causal decoder's token sees."""
        anatomy, adapters = self.anatomy, self.work.adapters
        weights = anatomy.weights + (anatomy.adapters(adapters) if adapters is not None else 0)
        seen = length if self.work.loaded == "classifier" else length / 2
        return 2 * weights + 4 * anatomy.layers * anatomy.queries * seen

    def learning(self, length: float) -> float:
        """Operations of a token, forward and back, once more forward where activations are computed twice."""
        forward = self.forward(length)
        training = self.work.training
        if self.work.trained == "all":
            backward = 2 * forward * max(0.0, 1 - self.work.frozen_layers / self.anatomy.layers)
        elif self.work.trained == "adapters" and self.work.adapters is not None:
            backward = forward + 2 * self.anatomy.adapters(self.work.adapters)
        else:
            return forward
        again = forward if training is not None and training.checkpointing else 0
        return forward + backward + again

    def read(self, reading: Reading, length: float) -> float:
        """Operations of labelling a document of a mean length; logits over the vocabulary for each token it says."""
        return length * PADDING * self.forward(length) + self._logits(reading)

    def learn(self, reading: Reading, length: float) -> float:
        """Operations of learning from a document of a mean length; the output layer is frozen or tied."""
        return length * PADDING * self.learning(length) + 2 * self._logits(reading)

    def _logits(self, reading: Reading) -> float:
        if self.work.loaded != "causal-lm":
            return 0.0
        return reading.answer * 2 * self.anatomy.vocabulary * self.anatomy.hidden
