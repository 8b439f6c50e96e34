"""What a user says of a table."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from bench.settings import Place
from bench.task import Sampling, TaskSettings


class TabularSettings(TaskSettings):
    """Settings of every task whose documents are rows."""

    text: str | tuple[str, ...] = Field("text", description="column with the text; several are joined by blank lines")
    label: str = Field("label", description="column with the label, or with the list of labels")
    separator: str | None = Field(None, min_length=1, description="what parts the labels in a cell, e.g. ';'")
    kind: Literal["auto", "single", "multi"] = Field(
        "auto", description="labels of a document; auto: multi where cells are lists or a separator is set"
    )
    id: str | None = Field(None, description="column with a unique id; a hash of the text by default")
    group: str | None = Field(
        None, description="column whose equal values stay in one split (customer, family, thread)"
    )
    split: str | None = Field(None, description="column that says train, validation or test")
    validation_share: float = Field(
        0.1, gt=0, lt=1, description="share of all documents but those of a test split of yours, held out to choose by"
    )
    test_share: float = Field(
        0.2, gt=0, lt=1, description="share of all documents but those of a validation split of yours, held out to test"
    )
    missing: Literal["refuse", "skip"] = Field(
        "refuse", description="rows without text or label: an error, or left out and counted"
    )
    min_examples: int = Field(
        1, ge=1, description="a label on fewer documents is rare; those of a test split of yours do not count"
    )
    rare: Literal["refuse", "fold", "drop"] = Field(
        "refuse", description="rare labels: an error, become one label, or are taken off their documents"
    )
    folded_label: str = Field("other", min_length=1, description="name of the label that rare ones are folded into")
    unseen: Literal["refuse", "keep", "drop"] = Field(
        "refuse",
        description="labels of test documents alone: an error, kept (no method can learn them), or taken off",
    )
    level_separator: str | None = Field(
        None, min_length=1, description="what parts the levels in a label's name, top first, e.g. ' > '"
    )
    parents: Place | None = Field(
        None, min_length=1, description="table with the columns label and parent: the hierarchy"
    )
    primary_metric: Literal["micro_f1", "macro_f1", "samples_f1", "hierarchical_f1", "p@1", "ndcg@5"] = Field(
        "micro_f1", description="what names the winner"
    )
    sampling: Sampling = Field(
        "stratified", description="how a limit chooses: hashed ids, or stratified, with every label in its share"
    )

    @model_validator(mode="after")
    def _consistent(self) -> TabularSettings:
        if self.kind == "single" and self.separator is not None:
            raise ValueError("a separator is for multi-label tasks, and kind is single")
        if self.validation_share + self.test_share >= 1:
            raise ValueError(
                "validation_share and test_share leave nothing to learn from; make them less than 1 in all"
            )
        if self.level_separator is not None and self.parents is not None:
            raise ValueError("the hierarchy comes from level_separator or from parents, not from both")
        if self.primary_metric == "hierarchical_f1" and self.level_separator is None and self.parents is None:
            raise ValueError("hierarchical_f1 needs level_separator or parents")
        return self

    @model_validator(mode="after")
    def _label_apart(self) -> TabularSettings:
        if not self.text_columns:
            raise ValueError("name a column with the text")
        if len(set(self.text_columns)) < len(self.text_columns):
            raise ValueError(f"text names a column twice: {', '.join(self.text_columns)}")
        others = {"text": self.text_columns, "id": (self.id,), "group": (self.group,), "split": (self.split,)}
        for role, columns in others.items():
            if self.label in columns:
                raise ValueError(f"column {self.label!r} is both label and {role}; name two columns")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is named, once."""
        named = [*self.text_columns, self.label, self.id, self.group, self.split]
        return tuple(dict.fromkeys(column for column in named if column is not None))

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns that make the text."""
        return (self.text,) if isinstance(self.text, str) else self.text
