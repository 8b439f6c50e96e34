"""Imported once by the fork server: what takes long to import and what nearly every cell needs."""

import gc
import importlib
import logging
from contextlib import suppress

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
        with suppress(Exception):  # a cell that needs it will raise this again, and have it in its record
            importlib.import_module(module)
    for name in CLASSES:
        with suppress(Exception):
            getattr(importlib.import_module("transformers"), name)
    # The collector of a child would walk, and so copy, a million objects that it shares with this process.
    gc.collect()
    gc.freeze()


warm_up()
