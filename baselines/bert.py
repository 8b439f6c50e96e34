"""``bert``: the whole of an encoder is fine-tuned, with the classification head that it comes with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from bench.encoding import Encoded, Padded, load_tokenizer, padding_id
from bench.errors import ModelError
from bench.inference import Inference, predict_scores
from bench.losses import AnyOfManyLabels, LossSettings, Objective, objective
from bench.method import Context, Method
from bench.model import materialise
from bench.prediction import Scores, TopScores
from bench.task import Documents, LabelSpace
from bench.training import (
    HEAD_START,
    FineTuneSettings,
    Fitting,
    classification_collate,
    count_parameters,
    encode_documents,
    fine_tune,
    log_prior_bias,
    quiet,
)

if TYPE_CHECKING:
    from torch import Tensor, nn


class BertSettings(LossSettings, FineTuneSettings):
    """Settings of ``bert``; the defaults are those of the BERT paper's middle ground."""

    learning_rate: float = Field(3e-5, gt=0, description="peak learning rate")
    head_learning_rate: float | None = Field(
        None, gt=0, description="peak learning rate of the classification head; learning_rate where not set"
    )


class Bert(Method):
    """Full fine-tuning of an encoder (BERT, RoBERTa, DeBERTa, ModernBERT, …) for sequence classification.

    Cross-entropy for single labels. For any number of labels binary cross-entropy, or what the settings say, where the
    head's bias starts at the log-odds of each label. Scores are the logits.
    """

    name = "bert"
    Config = BertSettings
    model_architecture = "encoder"
    uses_torch = True

    def fit(self, train: Documents, validation: Documents, labels: LabelSpace, context: Context) -> None:
        """Fine-tune on the training documents; the validation documents are not looked at."""
        goal = objective(self.config, context.task.kind, train, len(labels))
        with context.phase("load"):
            self._start(labels, context)
        encoded = self._tokenise(train.texts)
        context.note(truncated_share=encoded.truncated_share)
        multi = context.task.kind == "multi"
        start_final_layer(self._network, len(labels), log_prior_bias(train, len(labels)) if multi else None)
        self._train(goal, encoded, train, context)

    def predict(self, texts: Sequence[str], context: Context) -> Scores | TopScores:
        """Logits, float32, or the 100 best where labels are many; tokenising is part of the time that this takes."""
        inference = Inference(
            self._tokenise, self._forward, padding_id(self._tokenizer), self.config.predict_batch_size
        )
        return predict_scores(texts, inference, context)

    def save(self, folder: Path) -> None:
        """Write the network and its tokenizer in the format of transformers."""
        with quiet():
            self._network.save_pretrained(folder)
        self._tokenizer.save_pretrained(folder)

    def load(self, folder: Path, labels: LabelSpace, context: Context) -> None:
        """Read the network and its tokenizer."""
        self._network = _network(folder, labels, context)
        self._tokenizer = load_tokenizer(folder)

    def _tokenise(self, texts: Sequence[str]) -> Encoded:
        return encode_documents(self._tokenizer, self._network.config, texts, self.config)

    def _forward(self, batch: Padded) -> Tensor:
        logits: Tensor = self._network(input_ids=batch.ids, attention_mask=batch.mask).logits
        return logits

    def _train(self, goal: Objective, encoded: Encoded, train: Documents, context: Context) -> None:
        import torch

        # Where the objective makes logits itself, it is given the last layer and what that would have read.
        final = final_layer(self._network, goal.n_labels) if isinstance(goal, AnyOfManyLabels) else None

        def loss(network: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
            with left_out(final):
                outputs = network(input_ids=batch["ids"], attention_mask=batch["mask"]).logits
            return goal.loss(outputs.float(), final or torch.nn.Identity(), batch["targets"])

        body = f"{self._network.base_model_prefix}."
        fitting = Fitting(
            self._network,
            [len(row) for row in encoded.rows],
            classification_collate(encoded.rows, train, goal.targets, padding_id(self._tokenizer)),
            loss,
            head=lambda name: not name.startswith(body),
            head_learning_rate=self.config.head_learning_rate,
            stored=count_parameters(self._network)[1],
        )
        fine_tune(fitting, self.config, context)

    def _start(self, labels: LabelSpace, context: Context) -> None:
        import torch

        if context.model is None:
            raise ModelError("bert starts from a pretrained encoder; name one with --model")
        folder = materialise(context.model)
        torch.manual_seed(context.seeds.of("weights"))
        self._network = _network(folder, labels, context)
        self._tokenizer = load_tokenizer(folder)


def final_layer(network: nn.Module, n_labels: int) -> nn.Linear | None:
    """The layer that makes the logits: the last linear one with as many outputs as there are labels.

    Names differ (``classifier``, ``classifier.out_proj``, ``score``).
    """
    import torch

    fitting = [
        module
        for module in network.modules()
        if isinstance(module, torch.nn.Linear) and module.out_features == n_labels
    ]
    return fitting[-1] if fitting else None


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
