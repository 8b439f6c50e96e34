"""Results that others published, to stand beside one's own: each with its source, and whether anybody checked it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.errors import UserError


class PublishedResult(BaseModel):
    """One figure of a publication."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: str = Field(min_length=1, description="what was measured")
    level: str | None = Field(description="level of the labels; null where the source does not say")
    labels: int | None = Field(description="size of the label space; null where the source does not say", gt=1)
    metric: str = Field(description="name of the metric, as in docs/metrics.md")
    value: float = Field(ge=0, le=1)
    source: str = Field(min_length=1, description="the publication")
    verified: bool = Field(strict=True, description="whether the figure was read in the publication itself")
    note: str = ""


class PublishedResults(BaseModel):
    """What is published about a task."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str = Field(min_length=1)
    results: tuple[PublishedResult, ...]


def read_published(path: Path) -> PublishedResults:
    """Read a file of ``results/published``.

    Raises:
        UserError: It is not there, no YAML, or an entry lacks something; the message names the entry.
    """
    import yaml

    try:
        return PublishedResults.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except OSError as error:
        raise UserError(f"published results {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"published results {path}: no YAML, {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise UserError(f"published results {path}, {place}: {first['msg']}") from None
