"""What a YAML file says of a data set on the Hugging Face hub."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, model_validator

from bench.errors import UserError, unknown_name
from bench.settings import Place, expanded
from bench.splitting import SplitName
from tasks.tabular.settings import TabularSettings

Cell = bool | int | str

SPLIT_NAMES: tuple[SplitName, ...] = get_args(SplitName)

SOURCE = ("dataset", "config", "revision", "data_files", "splits", "local")
"""The settings that say what is brought to this machine; the others say how it is read."""


class HubSettings(TabularSettings):
    """Settings of a task whose documents are a data set of the hub."""

    dataset: str = Field("", description="id on the hub (owner/name); for a folder see local")
    config: str | None = Field(None, min_length=1, description="configuration (subset) of the data set")
    revision: str | None = Field(
        None,
        pattern=r"^([0-9a-f]{40}|refs/.+)$",
        description="commit (40 digits) or reference (refs/convert/parquet); by default what the hub holds now",
    )
    data_files: dict[str, str | tuple[str, ...]] | None = Field(
        None, min_length=1, description="split → path or pattern of its files in the repository, instead of config"
    )
    splits: dict[SplitName, str] | None = Field(
        None, description="train, validation, test → the source's split; by default those of the same name"
    )
    filters: dict[str, Cell | tuple[Cell, ...]] = Field(
        default_factory=dict, description="column → the value, or the values, of the rows that are read"
    )
    label_names: tuple[str, ...] | None = Field(
        None, min_length=2, description="names of labels that are whole numbers without names, from 0 up"
    )
    keep_labels: tuple[str, ...] | None = Field(
        None, min_length=2, description="the labels that are read; others are taken off their documents"
    )
    unlabelled: Literal["keep", "drop"] = Field(
        "keep", description="multi-label documents without a label: kept, or left out and counted"
    )
    local: Place | None = Field(
        None, description="folder to read instead of the hub: data files, or what datasets' save_to_disk wrote"
    )
    unseen: Literal["refuse", "keep", "drop"] = Field(
        "keep", description="labels of test documents alone: an error, kept (no method can learn them), or taken off"
    )

    @model_validator(mode="after")
    def _sound_source(self) -> HubSettings:
        if self.dataset and not re.fullmatch(r"[\w.-]+/[\w.-]+", self.dataset):
            raise ValueError("dataset is an id of the hub, owner/name; name a folder with local")
        if self.config is not None and self.data_files is not None:
            raise ValueError("files are named by config or by data_files, not by both")
        if self.splits is not None:
            if "train" not in self.splits:
                raise ValueError("splits says nothing of train")
            if len(set(self.splits.values())) < len(self.splits):
                raise ValueError("splits names one split of the source twice, and a document is in one split")
        for words in (self.label_names or (), self.keep_labels or ()):
            if len(set(words)) < len(words):
                raise ValueError("a label recurs in label_names or keep_labels")
        return self

    @property
    def folder(self) -> Path | None:
        """The folder to read instead of the hub; None: it is read from the hub."""
        return expanded(self.local) if self.local is not None else None

    @property
    def place(self) -> str:
        """The source's name, for messages."""
        return self.dataset or self.local or ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is named, once; those of the filters too."""
        return tuple(dict.fromkeys([*super().columns, *self.filters]))

    def sources(self, present: Iterable[str]) -> Mapping[SplitName, str]:
        """Our splits → the source's, train first.

        Args:
            present: The source's splits.

        Raises:
            UserError: A split is not there; the nearest one is named.
        """
        known = list(present)
        same: dict[SplitName, str] = {split: split for split in SPLIT_NAMES if split in known}
        chosen = self.splits if self.splits is not None else same
        if "train" not in chosen:
            raise UserError(
                f"{self.place} has no split 'train', it has {', '.join(known)}; set splits={{train: …, test: …}}"
            )
        for source in chosen.values():
            if source not in known:
                raise unknown_name(f"split of {self.place}", source, known)
        return {split: chosen[split] for split in SPLIT_NAMES if split in chosen}
