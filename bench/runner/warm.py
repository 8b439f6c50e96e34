"""Imported once by the fork server: what takes long to import and what nearly every cell needs."""

import importlib
import logging

MODULES = ("torch", "bitsandbytes", "peft", "pyarrow.parquet", "bench.runner.cell_run", "bench.training")
CLASSES = (
    "AutoModel",
    "AutoModelForCausalLM",
    "AutoModelForSequenceClassification",
    "AutoTokenizer",
    "BitsAndBytesConfig",
    "Trainer",
    "TrainingArguments",
)


def warm_up() -> None:
    """Import the modules, and the classes that transformers imports only when they are first named."""
    # It warns of an optional kernel on import, in the middle of the user's screen.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    for module in MODULES:
        importlib.import_module(module)
    transformers = importlib.import_module("transformers")
    for name in CLASSES:
        getattr(transformers, name)


warm_up()
