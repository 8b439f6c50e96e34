"""``embedding-head``: a classification head on pooled embeddings from a causal language model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from bench.approaches.adapters import AdapterSettings, needed_model, restore, start, store
from bench.approaches.direction import Direction, look_both_ways
from bench.approaches.exports import Base
from bench.approaches.head_work import head_work
from bench.encoding import Encode, Encoded, Padded, encode, padding_id
from bench.inference import Inference, predict_scores
from bench.judging import Judge
from bench.losses import LossSettings, objective
from bench.method import Context, Exported, Method
from bench.prediction import Scores, TopScores
from bench.spaces import AnyOf, Around
from bench.task import Documents, Kind, LabelSpace
from bench.token_cache import encode_once
from bench.training import (
    Fitting,
    classification_collate,
    encode_documents,
    fine_tune,
    log_prior_bias,
    quiet,
    validation_score,
)
from bench.work import Work, Workload

if TYPE_CHECKING:
    from torch import Tensor, nn

_HEAD = "head.safetensors"
_LATENTS = 512


class EmbeddingHeadSettings(LossSettings, AdapterSettings):
    """Settings of ``embedding-head``; rank 8 on all linear layers and the last token are the study's."""

    head_learning_rate: Annotated[float | None, Around(10)] = Field(
        1e-3, gt=0, description="peak learning rate of the classification head"
    )
    pooling: Annotated[
        Literal["last", "mean", "max", "weighted-mean", "latent-attention"], AnyOf("last", "mean", "weighted-mean")
    ] = Field(
        "last",
        description="how tokens become a document; weighted-mean: later tokens weigh more; latent-attention: by a "
        "trained block, which belongs to the head",
    )
    direction: Direction = Field(
        "causal", description="causal: tokens see what the model was pretrained to see; bidirectional: all of them"
    )
    head: Literal["linear", "mlp"] = Field("linear", description="mlp: with a hidden layer as wide as the model")
    latents: int = Field(_LATENTS, ge=1, description="trained vectors of latent-attention")

    @model_validator(mode="after")
    def _only_latent_attention_has_latents(self) -> EmbeddingHeadSettings:
        if self.pooling != "latent-attention" and self.latents != _LATENTS:
            raise ValueError(
                f"pooling={self.pooling} has no use for latents; set pooling=latent-attention or leave it out"
            )
        return self


class EmbeddingHead(Method):
    """A decoder, frozen or fine-tuned by LoRA or as a whole, under a head that reads one pooled embedding.

    Embeddings are pooled first and projected after, so that no logits are made for tokens that are thrown away. The
    head is float32, trained from random weights and never quantised. Scores are its logits.
    """

    name = "embedding-head"
    Config = EmbeddingHeadSettings
    model_architecture = "decoder"
    uses_torch = True
    shares_training = True

    def work(self, workload: Workload) -> Work:
        """A decoder under a head."""
        return head_work(self.config, workload)

    def fit(self, train: Documents, validation: Documents, labels: LabelSpace, context: Context) -> None:
        """Fine-tune on the training documents; validation documents choose the epoch that is kept."""
        goal = objective(self.config, context.task.kind, train, len(labels))
        with context.phase("load"):
            self._start(len(labels), context)
        if context.task.kind == "multi":
            self._network.head.bias.data.copy_(log_prior_bias(train, len(labels)))
        encoded = self._tokenise(train.texts, encode_once(context))
        context.note(truncated_share=encoded.truncated_share)

        def loss(network: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
            targets = batch["targets"]
            outcome: Tensor = network(
                batch["ids"], batch["mask"], finish=lambda features, head: goal.loss(features, head, targets)
            )
            return outcome

        fitting = Fitting(
            self._network,
            [len(row) for row in encoded.rows],
            classification_collate(encoded.rows, train, goal.targets, padding_id(self._tokenizer)),
            loss,
            learning_rate=self._learning_rate,
            validate=validation_score(
                self.predict, validation, Judge.of(train, labels, context.task.kind), self.config, context
            ),
        )
        fine_tune(fitting, self.config, context)

    def predict(self, texts: Sequence[str], context: Context) -> Scores | TopScores:
        """Logits, float32, or the 100 best where labels are many; tokenising is part of the time that this takes."""
        inference = Inference(
            self._tokenise, self._forward, padding_id(self._tokenizer), self.config.predict_batch_size
        )
        with quiet():
            return predict_scores(texts, inference, context)

    def save(self, folder: Path) -> None:
        """Write head, adapters (or all weights), tokenizer and how the network was prepared."""
        from safetensors.torch import save_file

        save_file(self._network.on_top().state_dict(), folder / _HEAD)
        store(self._network.body, self._tokenizer, self._preparation, folder)

    def load(self, folder: Path, labels: LabelSpace, context: Context) -> None:
        """Read what :meth:`save` wrote, on top of the same model."""
        from safetensors.torch import load_file
        from transformers import AutoModel

        body, self._tokenizer, self._preparation = restore(AutoModel, folder, context)
        self._network = self._with_head(body, len(labels), context)
        self._network.on_top().load_state_dict(load_file(folder / _HEAD))

    def export(self, folder: Path, labels: LabelSpace, context: Context) -> Exported:
        """Write what transformers and peft load by themselves where they can, else what they load under a head."""
        from bench.approaches.head_export import HeadExport

        base = Base.of(context.model, self._preparation)
        exported = HeadExport(self._network, self._tokenizer, base, self.config, labels)
        return exported.write(folder, context.task)

    def _start(self, n_labels: int, context: Context) -> None:
        from transformers import AutoModel

        body, self._tokenizer, self._preparation = start(AutoModel, self.config, context)
        self._network = self._with_head(body, n_labels, context)

    def _with_head(self, body: Any, n_labels: int, context: Context) -> Any:
        network = head_network(body, n_labels, self.config, context.task.kind).to(context.device).eval()
        if self.config.direction == "bidirectional":
            look_both_ways(body, needed_model(context).name)
        return network

    def _tokenise(self, texts: Sequence[str], encode: Encode = encode) -> Encoded:
        return encode_documents(self._tokenizer, self._network.config, texts, self.config, encode)

    def _learning_rate(self, parameter: str) -> float:
        body: float = self.config.learning_rate
        return body if parameter.startswith("body.") else self.config.head_learning_rate or body

    def _forward(self, batch: Padded) -> Tensor:
        logits: Tensor = self._network(batch.ids, batch.mask)
        return logits


def head_network(body: Any, n_labels: int, settings: EmbeddingHeadSettings, kind: Kind) -> Any:
    """The decoder with pooling and head on top, as the settings say.

    As in the study and in transformers, a head that chooses one label has no bias. Where each label is decided upon by
    itself the bias holds how frequent it is.
    """
    from bench.approaches.head_network import HeadNetwork

    return HeadNetwork(body, n_labels, settings.pooling, settings.head, settings.latents, bias=kind == "multi")


def network_on_paper(
    architecture: Mapping[str, Any], n_labels: int, settings: EmbeddingHeadSettings, kind: Kind = "single"
) -> Any:
    """The network that would be trained, of weights without values, for counting its parameters.

    Args:
        architecture: What ``AutoConfig.for_model`` takes, such as a preset's ``config``.
        n_labels: Labels of the task.
        settings: Adapters and head; weights are not quantised, which changes no number of them.
        kind: Whether documents have one label or any number.
    """
    import torch
    from transformers import AutoConfig, AutoModel

    from bench.approaches.adapters import with_lora

    with torch.device("meta"), quiet():
        body = AutoModel.from_config(AutoConfig.for_model(**architecture))
        body.requires_grad_(settings.adapter == "full")
        if settings.adapter == "lora":
            body = with_lora(body, settings)
        return head_network(body, n_labels, settings, kind)
