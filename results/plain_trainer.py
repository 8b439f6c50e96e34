"""Fine-tunes as the documentation of transformers, peft and bitsandbytes does: what cells are measured against.

    python results/plain_trainer.py '{"kind": "bert", "documents": "FOLDER", "model": "FOLDER", …}'

Takes :class:`Settings` as JSON and prints what it found as JSON. Imports nothing of ``bench``.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

WARM_UP_STEPS = 5
"""Steps that are left out of the training speed."""

_NO_TARGET = -100


@dataclass(frozen=True)
class Settings:
    """What is trained, and how.

    Attributes:
        kind: ``bert``: all of an encoder; ``head``: a decoder for sequence classification under LoRA; ``instruct``: a
            decoder that answers a prompt, under LoRA.
        documents: Folder with ``train.jsonl`` and ``test.jsonl``, a line ``{"text": …, "label": 0}`` a document, and
            ``labels.json``, the labels' names.
        model: Folder of the model and its tokenizer.
        max_tokens: Of a document, special tokens not counted.
        batch_size: Documents to an optimiser step.
        predict_batch_size: Documents that are labelled at once.
        epochs: Passes over the training documents.
        learning_rate: At its peak, after a tenth of the steps.
        seed: Of what is not pretrained, of order and of dropout.
        threads: That torch computes with.
        padding: ``longest``: batches are as wide as their longest document; ``max_length``: as ``max_tokens``.
        device: ``cpu`` or ``cuda``.
        rank: Of LoRA.
        alpha: Of LoRA.
        nf4: Whether frozen weights have four bits.
        checkpointing: Whether activations are computed twice.
    """

    kind: Literal["bert", "head", "instruct"]
    documents: str
    model: str
    max_tokens: int
    batch_size: int
    predict_batch_size: int
    epochs: int
    learning_rate: float
    seed: int
    threads: int
    padding: Literal["longest", "max_length"] = "longest"
    device: str = "cpu"
    rank: int = 8
    alpha: float = 16
    nf4: bool = False
    checkpointing: bool = False

    def read(self, split: str) -> list[dict[str, Any]]:
        """The documents of a split."""
        lines = (Path(self.documents) / f"{split}.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]

    @property
    def labels(self) -> list[str]:
        """Their names."""
        return list(json.loads((Path(self.documents) / "labels.json").read_text("utf-8")))


@dataclass(frozen=True)
class Recipe:
    """A model with what makes its inputs.

    Attributes:
        model: To be trained.
        tokenizer: Its tokenizer.
        encode: Columns of documents → columns of inputs.
        collate: Inputs → a batch.
        predict: A trainer that has trained and documents → positions of labels.
    """

    model: Any
    tokenizer: Any
    encode: Callable[[dict[str, Any]], dict[str, Any]]
    collate: Any
    predict: Callable[[Any, Sequence[dict[str, Any]]], list[int]]

    def data(self, rows: Sequence[dict[str, Any]]) -> Any:
        """Documents as a data set of inputs."""
        from datasets import Dataset

        return Dataset.from_list(list(rows)).map(self.encode, batched=True, remove_columns=["text", "label"])


def main(settings: Settings) -> dict[str, Any]:
    """Load, train, predict."""
    import torch
    from transformers import set_seed

    torch.set_num_threads(settings.threads)
    set_seed(settings.seed)
    recipe = {"bert": encoder, "head": head, "instruct": instructed}[settings.kind](settings)
    train, test = settings.read("train"), settings.read("test")
    peak_mib(settings.device)  # loading is no part of training's peak
    started = time.perf_counter()
    trainer, window = trained(settings, recipe, train)
    fitted = synchronised(settings.device)
    peaks = peak_mib(settings.device)
    predicted = recipe.predict(trainer, test)
    done = synchronised(settings.device)
    history = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    return {
        "train_seconds": fitted - started,
        "predict_seconds": done - fitted,
        "steps": trainer.state.global_step,
        "tokens_per_second": window.tokens_per_second,
        "last_loss": history[-1],
        "train_peak_mib": peaks,
        "predict_peak_mib": peak_mib(settings.device),
        "predicted": predicted,
    }


def trained(settings: Settings, recipe: Recipe, documents: Sequence[dict[str, Any]]) -> tuple[Any, Window]:
    """A trainer that has trained, and how fast it was."""
    from transformers import Trainer, TrainerCallback, TrainingArguments

    class Clock(TrainerCallback):  # type: ignore[misc]  # transformers is not typed
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step in {min(WARM_UP_STEPS, state.max_steps - 1), state.max_steps}:
                window.moments[state.global_step] = synchronised(settings.device)

    window = Window()
    steps = -(-len(documents) // settings.batch_size) * settings.epochs
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            num_train_epochs=settings.epochs,
            per_device_train_batch_size=settings.batch_size,
            per_device_eval_batch_size=settings.predict_batch_size,
            learning_rate=settings.learning_rate,
            weight_decay=0.01,
            warmup_steps=0.1,
            seed=settings.seed,
            bf16=settings.device == "cuda",
            gradient_checkpointing=settings.checkpointing,
            gradient_checkpointing_kwargs={"use_reentrant": False},
            logging_steps=max(1, steps // 4),
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=settings.device == "cpu",
        )
        trainer = Trainer(
            recipe.model,
            arguments,
            data_collator=window.counted(recipe.collate),
            train_dataset=recipe.data(documents),
            processing_class=recipe.tokenizer,
            callbacks=[Clock()],
        )
        trainer.train()
    return trainer, window


@dataclass
class Window:
    """The steps after the warm-up.

    Attributes:
        tokens: Non-padding tokens of each batch, in the order of training.
        moments: Step → when it ended.
    """

    tokens: list[int] = field(default_factory=list)
    moments: dict[int, float] = field(default_factory=dict)

    def counted(self, collate: Any) -> Any:
        """The same collator, whose tokens are counted."""

        def counting(rows: Any) -> Any:
            batch = collate(rows)
            self.tokens.append(int(batch["attention_mask"].sum()))
            return batch

        return counting

    @property
    def tokens_per_second(self) -> float:
        """In the window; what was collated after the training is no part of it."""
        first, last = min(self.moments), max(self.moments)
        return sum(self.tokens[first:last]) / (self.moments[last] - self.moments[first])


def encoder(settings: Settings) -> Recipe:
    """An encoder with its classification head, trained as a whole."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(settings.model)
    model = AutoModelForSequenceClassification.from_pretrained(
        settings.model, num_labels=len(settings.labels), dtype=torch.float32
    )
    return classifier(settings, model, tokenizer)


def head(settings: Settings) -> Recipe:
    """A decoder with the library's classification head, under LoRA."""
    from peft import TaskType
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(settings.model)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForSequenceClassification.from_pretrained(
        settings.model, num_labels=len(settings.labels), **loading(settings)
    )
    model.config.pad_token_id = tokenizer.pad_token_id
    return classifier(settings, adapted(settings, model, TaskType.SEQ_CLS), tokenizer)


def classifier(settings: Settings, model: Any, tokenizer: Any) -> Recipe:
    """What reads documents and puts out logits."""
    from transformers import DataCollatorWithPadding

    longest = settings.max_tokens + tokenizer.num_special_tokens_to_add()
    padding = "max_length" if settings.padding == "max_length" else False

    def encode(batch: dict[str, Any]) -> dict[str, Any]:
        inputs = tokenizer(batch["text"], truncation=True, max_length=longest, padding=padding)
        return {**inputs, "labels": batch["label"]}

    def predict(trainer: Any, documents: Sequence[dict[str, Any]]) -> list[int]:
        found: list[int] = trainer.predict(recipe.data(documents)).predictions.argmax(-1).tolist()
        return found

    recipe = Recipe(model, tokenizer, encode, DataCollatorWithPadding(tokenizer), predict)
    return recipe


def instructed(settings: Settings) -> Recipe:
    """A decoder under LoRA that learns to answer a prompt with the name of a label; the loss is on the answer."""
    from peft import TaskType
    from transformers import AutoModelForCausalLM, AutoTokenizer, DataCollatorForSeq2Seq

    tokenizer = AutoTokenizer.from_pretrained(settings.model, padding_side="left")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(settings.model, **loading(settings))
    asking = Asking.of(tokenizer, settings)
    return Recipe(
        adapted(settings, model, TaskType.CAUSAL_LM),
        tokenizer,
        asking.lesson,
        DataCollatorForSeq2Seq(tokenizer, label_pad_token_id=_NO_TARGET),
        lambda trainer, documents: asking.answers(trainer.model, documents),
    )


@dataclass(frozen=True)
class Asking:
    """Prompts and answers.

    Attributes:
        tokenizer: Pads on the left.
        settings: Say how much of a document is read.
        before: Token ids in front of a document.
        after: Behind it.
    """

    tokenizer: Any
    settings: Settings
    before: list[int]
    after: list[int]

    @classmethod
    def of(cls, tokenizer: Any, settings: Settings) -> Asking:
        """A prompt that lists the labels."""
        parts = (f"Labels: {'; '.join(settings.labels)}\n\n", "\n\nLabel of this text:\n")
        before, after = tokenizer(list(parts), add_special_tokens=False)["input_ids"]
        start = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
        return cls(tokenizer, settings, start + before, after)

    def prompts(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of what is asked."""
        cut = {"truncation": True, "max_length": self.settings.max_tokens}
        rows = self.tokenizer(list(texts), add_special_tokens=False, **cut)["input_ids"]
        return [[*self.before, *row, *self.after] for row in rows]

    def lesson(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Prompts with their answers, of which alone the loss is made."""
        names, end = self.settings.labels, self.tokenizer.eos_token_id
        prompts = self.prompts(batch["text"])
        answers = self.tokenizer([names[label] for label in batch["label"]], add_special_tokens=False)["input_ids"]
        pairs = [(prompt, [*answer, end]) for prompt, answer in zip(prompts, answers, strict=True)]
        return {
            "input_ids": [prompt + answer for prompt, answer in pairs],
            "labels": [[_NO_TARGET] * len(prompt) + answer for prompt, answer in pairs],
        }

    def answers(self, model: Any, documents: Sequence[dict[str, Any]]) -> list[int]:
        """Positions of the labels that are named; -1 where none is."""
        import torch

        names, size = self.settings.labels, self.settings.predict_batch_size
        longest = 1 + max(map(len, self.tokenizer(names, add_special_tokens=False)["input_ids"]))
        model.eval()
        model.config.use_cache = True
        said: list[str] = []
        for start in range(0, len(documents), size):
            rows = self.prompts([row["text"] for row in documents[start : start + size]])
            batch = self.tokenizer.pad({"input_ids": rows}, return_tensors="pt").to(model.device)
            mixed = torch.autocast(model.device.type, torch.bfloat16, enabled=model.device.type == "cuda")
            with torch.inference_mode(), mixed:
                whole = model.generate(**batch, max_new_tokens=longest, do_sample=False)
            said += self.tokenizer.batch_decode(whole[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
        return [names.index(answer.strip()) if answer.strip() in names else -1 for answer in said]


def loading(settings: Settings) -> dict[str, Any]:
    """How a decoder is loaded."""
    import torch
    from transformers import BitsAndBytesConfig

    dtype = torch.bfloat16 if settings.device == "cuda" else torch.float32
    bits = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
        llm_int8_skip_modules=["score", "lm_head"],
    )
    return {"dtype": dtype, "quantization_config": bits if settings.nf4 else None, "device_map": {"": settings.device}}


def adapted(settings: Settings, model: Any, task: Any) -> Any:
    """A decoder made ready as peft's documentation has it."""
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    if settings.nf4:
        model = prepare_model_for_kbit_training(
            model, settings.checkpointing, gradient_checkpointing_kwargs={"use_reentrant": False}
        )
    config = LoraConfig(
        r=settings.rank, lora_alpha=settings.alpha, lora_dropout=0.05, target_modules="all-linear", task_type=task
    )
    return get_peft_model(model, config)


def synchronised(device: str) -> float:
    """The time when all that was asked of a device is done."""
    import torch

    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def peak_mib(device: str) -> dict[str, float] | None:
    """Peaks of torch's allocator since this was asked last; None where it keeps none."""
    import torch

    if device != "cuda":
        return None
    peaks = {"allocated": torch.cuda.max_memory_allocated(), "reserved": torch.cuda.max_memory_reserved()}
    torch.cuda.reset_peak_memory_stats()
    return {name: count / 2**20 for name, count in peaks.items()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Settings(**json.loads(sys.argv[1])))) + "\n")
