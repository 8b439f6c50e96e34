"""``embedding-head`` on a device that has room for so many documents, and says it as CUDA does."""

from pydantic import Field

from bench.approaches.embedding_head import EmbeddingHead, EmbeddingHeadSettings

ROOMY = 1000
TOUCHED = 2**22
"""Numbers of float32 that a document takes for a moment: 16 MiB."""


class SpaciousSettings(EmbeddingHeadSettings):
    """A quick run in micro-batches of two."""

    epochs: int = Field(2, ge=1, description="passes over the training documents")
    batch_size: int = Field(8, ge=1, description="documents to an optimiser step")
    gradient_accumulation: int = Field(4, ge=1, description="parts of a batch")
    max_tokens: int = Field(16, ge=1, description="tokens of a document")
    predict_batch_size: int = Field(2, ge=1, description="documents to a batch of prediction")
    learnt_at_once: int = Field(ROOMY, ge=0, description="documents that there is room to learn from")
    labelled_at_once: int = Field(ROOMY, ge=0, description="documents that there is room to label")
    steps_with_room: int = Field(0, ge=0, description="passes of training before room is short")
    reserved: int = Field(0, ge=0, description="MiB that a document takes without touching them")


class Spacious(EmbeddingHead):
    """Room for everything, and no need of it."""

    name = "spacious"
    Config = SpaciousSettings

    def _start(self, n_labels, context):
        super()._start(n_labels, context)
        self._learnt = 0
        self._network.register_forward_pre_hook(self._squeeze)

    def _squeeze(self, network, given):
        import torch

        documents, room = len(given[0]), self.config.labelled_at_once
        torch.ones(documents * TOUCHED)
        torch.empty(documents * self.config.reserved * 2**20, dtype=torch.uint8)
        if network.training:
            self._learnt += 1
            room = self.config.learnt_at_once if self._learnt > self.config.steps_with_room else ROOMY
        if documents > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


class CrampedSettings(SpaciousSettings):
    """Whole batches, for which room gets short after some steps."""

    gradient_accumulation: int = Field(1, ge=1, description="parts of a batch")
    predict_batch_size: int = Field(64, ge=1, description="documents to a batch of prediction")
    learnt_at_once: int = Field(3, ge=0, description="documents that there is room to learn from")
    labelled_at_once: int = Field(3, ge=0, description="documents that there is room to label")
    steps_with_room: int = Field(5, ge=0, description="passes of training before room is short")


class Cramped(Spacious):
    """Room for three documents."""

    name = "cramped"
    Config = CrampedSettings


class HopelessSettings(CrampedSettings):
    """Not even one document fits."""

    learnt_at_once: int = Field(0, ge=0, description="documents that there is room to learn from")


class Hopeless(Spacious):
    """No room to learn."""

    name = "hopeless"
    Config = HopelessSettings


class SpeechlessSettings(CrampedSettings):
    """It learns, but not even one document fits when it is to label."""

    epochs: int = Field(1, ge=1, description="passes over the training documents")
    labelled_at_once: int = Field(0, ge=0, description="documents that there is room to label")


class Speechless(Spacious):
    """No room to label."""

    name = "speechless"
    Config = SpeechlessSettings


class GorgingSettings(CrampedSettings):
    """What it asks of the host for is refused by the kernel."""

    epochs: int = Field(1, ge=1, description="passes over the training documents")
    learnt_at_once: int = Field(ROOMY, ge=0, description="documents that there is room to learn from")
    labelled_at_once: int = Field(ROOMY, ge=0, description="documents that there is room to label")
    reserved: int = Field(1024, ge=0, description="MiB that a document takes without touching them")


class Gorging(Spacious):
    """A GiB of the host's memory for each document."""

    name = "gorging"
    Config = GorgingSettings
