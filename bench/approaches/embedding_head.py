"""``embedding-head``: a classification head on the last token's embedding from a causal language model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from bench.approaches.adapters import AdapterSettings, restore, start, store
from bench.encoding import Encoded, Padded, padding_id
from bench.inference import Inference, predict_scores
from bench.method import Context, Method
from bench.prediction import Scores, TopScores
from bench.task import Documents, LabelSpace
from bench.training import (
    Fitting,
    classification_collate,
    classification_loss,
    encode_documents,
    fine_tune,
    log_prior_bias,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

_HEAD = "head.safetensors"


class EmbeddingHeadSettings(AdapterSettings):
    """Settings of ``embedding-head``; rank 8 on all linear layers is the study's."""

    head_learning_rate: float | None = Field(1e-3, gt=0, description="peak learning rate of the classification head")


class EmbeddingHead(Method):
    """LoRA (or full) fine-tuning of a decoder under a linear head that reads the last token's embedding.

    Embeddings are pooled first and projected after, so that no logits are made for tokens that are thrown away. The
    head is float32, trained from random weights and never quantised. Scores are its logits.
    """

    name = "embedding-head"
    Config = EmbeddingHeadSettings
    model_architecture = "decoder"
    uses_torch = True

    def fit(self, train: Documents, validation: Documents, labels: LabelSpace, context: Context) -> None:
        """Fine-tune on the training documents; the validation documents are not looked at."""
        with context.phase("load"):
            self._start(len(labels), context)
        kind = context.task.kind
        if kind == "multi":
            self._network.head.bias.data.copy_(log_prior_bias(train, len(labels)))
        encoded = self._tokenise(train.texts)
        context.note(truncated_share=encoded.truncated_share)

        def loss(network: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
            return classification_loss(network(batch["ids"], batch["mask"]), batch["targets"], kind)

        collate = classification_collate(encoded.rows, train, len(labels), kind, padding_id(self._tokenizer))
        fitting = Fitting(
            self._network,
            [len(row) for row in encoded.rows],
            collate,
            loss,
            head=lambda name: name.startswith("head."),
            head_learning_rate=self.config.head_learning_rate,
        )
        fine_tune(fitting, self.config, context)

    def predict(self, texts: Sequence[str], context: Context) -> Scores | TopScores:
        """Logits, float32, or the 100 best where labels are many; tokenising is part of the time that this takes."""
        inference = Inference(
            self._tokenise, self._forward, padding_id(self._tokenizer), self.config.predict_batch_size
        )
        return predict_scores(texts, inference, context)

    def save(self, folder: Path) -> None:
        """Write head, adapters (or all weights), tokenizer and how the network was prepared."""
        from safetensors.torch import save_file

        save_file(self._network.head.state_dict(), folder / _HEAD)
        store(self._network.body, self._tokenizer, self._preparation, folder)

    def load(self, folder: Path, labels: LabelSpace, context: Context) -> None:
        """Read what :meth:`save` wrote, on top of the same model."""
        from safetensors.torch import load_file
        from transformers import AutoModel

        body, self._tokenizer, self._preparation = restore(AutoModel, folder, context)
        self._network = _network(body, len(labels), context)
        self._network.head.load_state_dict(load_file(folder / _HEAD))

    def _start(self, n_labels: int, context: Context) -> None:
        from transformers import AutoModel

        body, self._tokenizer, self._preparation = start(AutoModel, self.config, context)
        self._network = _network(body, n_labels, context)

    def _tokenise(self, texts: Sequence[str]) -> Encoded:
        return encode_documents(self._tokenizer, self._network.config, texts, self.config)

    def _forward(self, batch: Padded) -> Tensor:
        logits: Tensor = self._network(batch.ids, batch.mask)
        return logits


def _network(body: Any, n_labels: int, context: Context) -> Any:
    from bench.approaches.head_network import HeadNetwork

    return HeadNetwork(body, n_labels).to(context.device).eval()
