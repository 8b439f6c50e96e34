"""How ``embedding-head`` describes its work; see :mod:`bench.work`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.training_work import reading_of, training_of
from bench.work import Adapters, Trained, Work, Workload

if TYPE_CHECKING:
    from bench.approaches.adapters import AdapterSettings
    from bench.approaches.embedding_head import EmbeddingHeadSettings
    from bench.task import Kind

TRAINED: dict[str, Trained] = {"lora": "adapters", "full": "all", "none": "head"}
"""What is trained, by the setting ``adapter``."""


def head_work(settings: EmbeddingHeadSettings, workload: Workload) -> Work:
    """The decoder without its output layer, under a head that reads one vector a document."""
    reading = reading_of(settings, workload)
    size, task = workload.hidden_size, workload.task
    return Work(
        "body",
        TRAINED[settings.adapter],
        reading,
        training_of(settings, workload, reading, checkpointing=settings.gradient_checkpointing),
        settings.quantisation,
        adapters_of(settings),
        head=head_parameters(settings, size, task.n_labels, task.kind),
    )


def adapters_of(settings: AdapterSettings) -> Adapters | None:
    """The adapters that the settings ask for."""
    if settings.adapter != "lora":
        return None
    return Adapters(settings.rank, settings.dora, settings.adapter_dropout > 0)


def head_parameters(settings: EmbeddingHeadSettings, size: int, n_labels: int, kind: Kind) -> int:
    """Parameters of pooling and head: a bias for each label where each is decided upon by itself.

    Latent attention has its latents, two norms and two square layers; ``mlp`` has one square layer more.
    """
    square = size * size + size
    last = n_labels * size + (n_labels if kind == "multi" else 0)
    pooling = settings.latents * size + 2 * square + 4 * size if settings.pooling == "latent-attention" else 0
    return last + pooling + (square if settings.head == "mlp" else 0)
