"""What a cell holds on its device, in bytes, from the numbers of its network.

Every function says its formula. They follow Korthikanti et al., "Reducing Activation Recomputation in Large Transformer
Models" (arXiv 2205.05198, section 4), which counts what a layer keeps for the backward pass, for layers that are gated,
have fewer keys than queries, never keep their attention's scores, and whose weights may be frozen under LoRA.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.estimating.anatomy import Anatomy
from bench.prediction import DENSE_LABELS
from bench.work import Reading, Training, Work

NF4_BITS = 4 + 8 / 64 + 32 / (64 * 256)
"""Bits of a weight in NF4, doubly quantised: 4, an 8-bit constant for 64 weights, a 32-bit one for 64 × 256.

QLoRA, arXiv 2305.14314, section 3: 4.127 bits.
"""

SPREAD = {"cuda": 1.1, "mps": 1.1, "cpu": 1.3}
"""What an allocator takes over what comes and goes: blocks are not of the size asked for, nor always where they fit."""

CUDA_CONTEXT = 600 * 2**20
"""Bytes that a process holds on a CUDA device before its first tensor, with the kernels of torch and cuBLAS."""

FP32 = 4
BF16 = 2


@dataclass(frozen=True)
class Machine:
    """Where a cell computes.

    Attributes:
        device: ``cpu``, ``cuda`` or ``mps``.
        compute: Bytes of the numbers it multiplies.
    """

    device: str
    compute: int

    @classmethod
    def of(cls, device: str, bf16: bool) -> Machine:
        """A device that multiplies in bfloat16 or not."""
        return cls(device, BF16 if bf16 else FP32)


@dataclass(frozen=True)
class Footprint:
    """The memory of one kind of work on one kind of machine.

    Attributes:
        anatomy: The network.
        work: What it does.
        machine: Where.
        n_labels: Labels of the task.
    """

    anatomy: Anatomy
    work: Work
    machine: Machine
    n_labels: int

    def weights(self) -> float:
        """What was loaded: linear layers in few bits, in the dtype they are computed in, or in float32 to be trained.

        Beside quantised layers everything is float32: peft's ``prepare_model_for_kbit_training`` turns embeddings,
        norms and the output layer to it.
        """
        total = self.anatomy.loaded(self.work.loaded, self.n_labels)
        quantised = self.anatomy.weights
        if self.work.quantisation == "nf4":
            return quantised * NF4_BITS / 8 + (total - quantised) * FP32
        if self.work.quantisation == "int8":  # and a float32 scale for each output
            scales = sum(linear.outputs * linear.count for linear in self.anatomy.linears)
            return quantised + (scales + total - quantised) * FP32
        return total * (FP32 if self.work.trained == "all" else self.machine.compute)

    def loading(self) -> float:
        """The weights, and the largest tensor once more as it lies in its file."""
        return self.weights() + self.anatomy.largest * self.anatomy.stored_bytes

    def learned(self) -> int:
        """Parameters that are trained."""
        if self.work.trained == "all":
            return self.anatomy.loaded(self.work.loaded, self.n_labels) + self.work.head - self._frozen()
        adapters = self.work.adapters
        return (self.anatomy.adapters(adapters) if adapters is not None else 0) + self.work.head

    def states(self) -> float:
        """Gradient and both moments of AdamW in float32, and adapters and head themselves: 12 or 16 bytes each.

        Where everything is trained and multiplied in bfloat16, autocast keeps the weights in that, too.
        """
        if self.work.training is None:
            return 0.0
        if self.work.trained != "all":
            return self.learned() * 4 * FP32
        cast = self.anatomy.weights * BF16 if self.machine.compute == BF16 else 0
        return self.learned() * 3 * FP32 + cast

    def kept_by_layer(self) -> float:
        """Bytes that one layer keeps of one token for the backward pass.

        Inputs of linear layers that are trained or have adapters, queries, keys, values and outputs of attention,
        inputs of the two norms, what the feed-forward block's activation needs: three of its widths where it is gated,
        else one; and what was dropped.
        """
        anatomy, compute = self.anatomy, self.machine.compute
        attention = 4 * anatomy.queries * compute  # keys and values are spread to the width of queries under a mask
        steps = 2 if self.work.trained == "all" and self.work.loaded != "classifier" else 1
        norms = 2 * anatomy.hidden * FP32 * steps  # a decoder's norm is computed in two steps, an encoder's in one
        feed_forward = (3 if anatomy.gated else 1) * anatomy.inner * self._activation
        return self._inputs() + attention + norms + feed_forward + self._dropped()

    def activations(self, tokens: float) -> float:
        """What all layers keep of so many tokens; nothing where no gradient goes through them.

        With checkpointing each layer keeps its input, and one layer at a time everything.
        """
        training = self.work.training
        if training is None or self.work.trained not in {"all", "adapters"}:
            return 0.0
        if training.checkpointing:
            return tokens * (self.anatomy.layers * self.anatomy.hidden * self._residual + self.kept_by_layer())
        return tokens * max(0, self.anatomy.layers - self.work.frozen_layers) * self.kept_by_layer()

    def passing(self, tokens: float) -> float:
        """What is there for a moment in any pass: a layer's widest values, and its largest weights expanded."""
        anatomy = self.anatomy
        widest = max((2 if anatomy.gated else 1) * anatomy.inner, anatomy.queries + 2 * anatomy.keys)
        largest = max((linear.inputs * linear.outputs for linear in anatomy.linears), default=0)
        expanded = largest * self.machine.compute if self.work.quantisation != "none" else 0
        return tokens * (widest * self._activation + 2 * anatomy.hidden * self._residual) + expanded

    def scores(self, reading: Reading) -> float:
        """Scores of a batch that is labelled: over the vocabulary for one token at a time, or over labels."""
        if self.work.loaded == "causal-lm":
            return reading.batch * self.anatomy.vocabulary * (self.machine.compute + FP32)
        return reading.batch * min(self.n_labels, DENSE_LABELS) * FP32

    def scores_to_learn(self, reading: Reading) -> float:
        """The same of a batch that is learnt from, at all places of an answer: with logarithms and gradients, float32.

        Labels beyond ``DENSE_LABELS`` come in parts.
        """
        if self.work.loaded == "causal-lm":
            places = reading.batch * (reading.longest_answer + 1)
            return places * self.anatomy.vocabulary * (self.machine.compute + 3 * FP32)
        return reading.batch * min(self.n_labels, DENSE_LABELS) * 3 * FP32

    def cache(self, reading: Reading, longest: int) -> float:
        """Keys and values of all that was read, of every layer: 2 × layers × width of keys × tokens."""
        if not self.work.cached:
            return 0.0
        return 2 * self.anatomy.layers * self.anatomy.keys * self._activation * reading.batch * longest

    def training(self, training: Training, longest: int) -> float:
        """The peak of an optimiser step with documents of the greatest length."""
        tokens = training.reading.batch * longest
        moment = self.activations(tokens) + self.passing(tokens) + self.scores_to_learn(training.reading)
        return self.weights() + self.states() + moment

    def predicting(self, reading: Reading, longest: int) -> float:
        """The peak of labelling a batch of documents of the greatest length; what was trained beside is there, too."""
        beside = 0 if self.work.trained == "all" else self.learned() * FP32
        moment = self.passing(reading.batch * longest) + self.scores(reading)
        return self.weights() + beside + self.cache(reading, longest) + moment

    def _frozen(self) -> int:
        """Parameters left out of what is trained: embeddings, with all norms and biases, and the layers' share."""
        anatomy, layers = self.anatomy, self.work.frozen_layers
        return anatomy.body - anatomy.weights + anatomy.weights * layers // anatomy.layers if layers else 0

    def _inputs(self) -> float:
        """Inputs of linear layers. Each keeps one of its own where it is cast or dropped from for that layer alone."""
        anatomy, compute = self.anatomy, self.machine.compute
        if self.work.adapters is None and self.work.trained != "all":
            return 0.0
        if compute == FP32 and not self._drops:
            return (2 * anatomy.hidden + anatomy.queries + anatomy.inner) * compute
        return self._width * compute

    def _dropped(self) -> float:
        """Which values were dropped: of the adapters' inputs, and of what an encoder's two blocks put out."""
        size = 1 if self.machine.device == "cuda" else self.machine.compute
        blocks = 2 * self.anatomy.hidden if self.work.loaded == "classifier" else 0
        return ((self._width if self._drops else 0) + blocks) * size

    @property
    def _drops(self) -> bool:
        return self.work.adapters is not None and self.work.adapters.dropout

    @property
    def _width(self) -> float:
        """What all linear layers of a layer read together."""
        return sum(linear.inputs * linear.count for linear in self.anatomy.linears) / self.anatomy.layers

    @property
    def _residual(self) -> int:
        """Bytes of the values between layers; what float32 embeddings and norms begin stays in that."""
        return FP32 if self.work.quantisation != "none" or self.work.trained == "all" else self.machine.compute

    @property
    def _activation(self) -> int:
        """Bytes of what linear layers put out; quantised ones put out what they were given."""
        return FP32 if self.work.quantisation != "none" else self.machine.compute


def in_use(machine: Machine, weights: float, held: float) -> float:
    """What a device shows where a process holds so much, weights included: with spare blocks and CUDA's own."""
    return weights + (held - weights) * SPREAD[machine.device] + (CUDA_CONTEXT if machine.device == "cuda" else 0)
