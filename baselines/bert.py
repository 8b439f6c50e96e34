"""``bert``: the whole of an encoder is fine-tuned, with the classification head that it comes with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from baselines.depths import Depths, body_of
from bench.encoding import Encode, Encoded, Padded, encode, load_tokenizer, padding_id, save_tokenizer
from bench.errors import ModelError
from bench.export_lines import lines
from bench.inference import Inference, predict_scores
from bench.judging import Judge
from bench.losses import LossSettings, Objective, objective
from bench.method import Context, Exported, Method
from bench.model import materialise
from bench.numerics import probe_numerics
from bench.prediction import Scores, TopScores
from bench.spaces import Around
from bench.task import Documents, LabelSpace
from bench.token_cache import encode_once
from bench.training import (
    HEAD_START,
    FineTuneSettings,
    Fitting,
    Precision,
    classification_collate,
    count_parameters,
    encode_documents,
    fine_tune,
    log_prior_bias,
    quiet,
    validation_score,
)
from bench.training_work import reading_of, training_of
from bench.work import Work, Workload

if TYPE_CHECKING:
    from torch import Tensor, nn


class BertSettings(LossSettings, FineTuneSettings):
    """Settings of ``bert``; the defaults are those of the BERT paper's middle ground."""

    learning_rate: Annotated[float, Around(10)] = Field(3e-5, gt=0, description="peak learning rate")
    head_learning_rate: float | None = Field(
        None, gt=0, description="peak learning rate of the classification head; learning_rate where not set"
    )
    layer_decay: float = Field(
        1.0,
        gt=0,
        le=1,
        description="learning rate of each layer of the encoder over that of the one above it; embeddings have the "
        "lowest, the head is not touched; 1: all have the same",
    )
    frozen_layers: int = Field(
        0, ge=0, description="embeddings and so many layers above them are not trained; 0: everything is"
    )
    precision: Precision = Field(
        "auto",
        description="what the network computes in; auto: bfloat16 where a CUDA device has it, else float32. In "
        "bfloat16 some documents are labelled in float32, too, and the record says whether the two stray apart",
    )


class Bert(Method):
    """Full fine-tuning of an encoder (BERT, RoBERTa, DeBERTa, ModernBERT, …) for sequence classification.

    Cross-entropy for single labels. For any number of labels binary cross-entropy, or what the settings say, where the
    head's bias starts at the log-odds of each label. Scores are the logits.

    Layers may learn the slower, the deeper they lie (ULMFiT, arXiv 1801.06146; ELECTRA, arXiv 2003.10555), or not at
    all.
    """

    name = "bert"
    Config = BertSettings
    model_architecture = "encoder"
    uses_torch = True
    shares_training = True

    def work(self, workload: Workload) -> Work:
        """All of an encoder is trained, head and all, but for the layers that are frozen."""
        reading = reading_of(self.config, workload)
        training = training_of(self.config, workload, reading)
        return Work("classifier", "all", reading, training, frozen_layers=self.config.frozen_layers)

    def fit(self, train: Documents, validation: Documents, labels: LabelSpace, context: Context) -> None:
        """Fine-tune on the training documents; validation documents choose the epoch that is kept."""
        goal = objective(self.config, context.task.kind, train, len(labels))
        with context.phase("load"):
            self._start(labels, context)
        encoded = self._tokenise(train.texts, encode_once(context))
        context.note(truncated_share=encoded.truncated_share)
        multi = context.task.kind == "multi"
        start_final_layer(self._network, len(labels), log_prior_bias(train, len(labels)) if multi else None)
        judge = Judge.of(train, labels, context.task.kind)
        validate = validation_score(self.predict, validation, judge, self.config, context)
        fine_tune(replace(self._fitting(goal, encoded, train), validate=validate), self.config, context)
        probe_numerics(self._scores, validation if len(validation) else train, self.config.precision, context)

    def predict(self, texts: Sequence[str], context: Context) -> Scores | TopScores:
        """Logits, float32, or the 100 best where labels are many; tokenising is part of the time that this takes."""
        return self._scores(texts, context, self.config.precision)

    def save(self, folder: Path) -> None:
        """Write the network and its tokenizer in the format of transformers."""
        with quiet():
            self._network.save_pretrained(folder)
        self._tokenizer.save_pretrained(folder)

    def load(self, folder: Path, labels: LabelSpace, context: Context) -> None:
        """Read the network and its tokenizer."""
        self._read(folder, labels, context)

    def export(self, folder: Path, labels: LabelSpace, context: Context) -> Exported:
        """Write the network with the names of its labels, and a tokenizer that cuts documents as it was done here."""
        self._network.config.id2label = dict(enumerate(labels.names))
        self._network.config.label2id = {name: place for place, name in enumerate(labels.names)}
        with quiet():
            self._network.save_pretrained(folder)
        save_tokenizer(self._tokenizer, folder, self.config.max_tokens)
        load, use = lines("classifier")
        return Exported("a model for `AutoModelForSequenceClassification`", "transformers", load, use)

    def _scores(self, texts: Sequence[str], context: Context, precision: Precision) -> Scores | TopScores:
        filler, size = padding_id(self._tokenizer), self.config.predict_batch_size
        inference = Inference(self._tokenise, self._forward, filler, size, precision=precision)
        return predict_scores(texts, inference, context)

    def _tokenise(self, texts: Sequence[str], encode: Encode = encode) -> Encoded:
        return encode_documents(self._tokenizer, self._network.config, texts, self.config, encode)

    def _forward(self, batch: Padded) -> Tensor:
        import torch

        features = self._before_last(self._network, batch.ids, batch.mask)
        with torch.autocast(features.device.type, enabled=False):
            logits: Tensor = self._last(features)
        return logits

    def _before_last(self, network: nn.Module, ids: Tensor, mask: Tensor) -> Tensor:
        with left_out(self._apart):
            features: Tensor = network(input_ids=ids, attention_mask=mask).logits.float()
        return features

    def _fitting(self, goal: Objective, encoded: Encoded, train: Documents) -> Fitting:
        def loss(network: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
            return goal.loss(self._before_last(network, batch["ids"], batch["mask"]), self._last, batch["targets"])

        return Fitting(
            self._network,
            [len(row) for row in encoded.rows],
            classification_collate(encoded.rows, train, goal.targets, padding_id(self._tokenizer)),
            loss,
            learning_rate=learning_rates(self._network, self.config),
            precision=self.config.precision,
            stored=count_parameters(self._network)[1],
        )

    def _start(self, labels: LabelSpace, context: Context) -> None:
        import torch

        if context.model is None:
            raise ModelError("bert starts from a pretrained encoder; name one with --model")
        folder = materialise(context.model)
        torch.manual_seed(context.seeds.of("weights"))
        self._read(folder, labels, context)
        freeze(self._network, self.config.frozen_layers)

    def _read(self, folder: Path, labels: LabelSpace, context: Context) -> None:
        import torch

        self._network = _network(folder, labels, context)
        self._tokenizer = load_tokenizer(folder)
        # Called apart from the others, so that logits are never rounded to bfloat16, and can be made in parts.
        self._apart = final_layer(self._network, len(labels))
        self._last = self._apart or torch.nn.Identity()


def final_layer(network: nn.Module, n_labels: int) -> nn.Linear | None:
    """The layer that makes the logits: the head's last linear one with as many outputs as there are labels.

    Names differ (``classifier``, ``classifier.out_proj``, ``score``), and in some networks the head stands before the
    body.
    """
    import torch

    body = body_of(network)
    fitting = [
        module
        for name, module in network.named_modules()
        if isinstance(module, torch.nn.Linear) and module.out_features == n_labels and not name.startswith(body)
    ]
    return fitting[-1] if fitting else None


def learning_rates(network: Any, settings: BertSettings) -> Callable[[str], float]:
    """Name of a parameter → its peak learning rate."""
    body, whole = body_of(network), settings.learning_rate
    # Networks whose layers cannot be told apart have no use for depths, and need none.
    depths = Depths.in_network(network).of if settings.layer_decay < 1 else {}

    def rate(parameter: str) -> float:
        if not parameter.startswith(body):
            return settings.head_learning_rate or whole
        return float(whole * settings.layer_decay ** depths.get(parameter, 0))

    return rate


def freeze(network: Any, layers: int) -> None:
    """Train neither embeddings nor the first so many layers.

    Raises:
        UserError: There are fewer layers.
        ModelError: The network is no stack of layers.
    """
    if layers == 0:
        return
    frozen = Depths.in_network(network).frozen(layers)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not frozen(name))


def start_final_layer(network: nn.Module, n_labels: int, bias: Tensor | None) -> None:
    """Set how the layer starts that makes the logits; a head without a bias gets none."""
    import torch

    layer = final_layer(network, n_labels)
    if layer is None:
        return
    with torch.no_grad():
        layer.weight.mul_(HEAD_START)
        if bias is not None and layer.bias is not None:
            layer.bias.copy_(bias)


@contextmanager
def left_out(layer: nn.Module | None) -> Iterator[None]:
    """While open, a layer hands on what it is given."""
    if layer is None:
        yield
        return
    layer.forward = lambda given: given
    try:
        yield
    finally:
        del layer.forward


def _network(folder: Path, labels: LabelSpace, context: Context) -> Any:
    import torch
    from transformers import AutoModelForSequenceClassification

    # Left to itself the library guesses the problem from the first batch's labels.
    problem = "single_label_classification" if context.task.kind == "single" else "multi_label_classification"
    with quiet():
        network = AutoModelForSequenceClassification.from_pretrained(
            folder,
            num_labels=len(labels),
            problem_type=problem,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            local_files_only=True,
            use_safetensors=True,
        )
    return network.to(context.device).eval()
