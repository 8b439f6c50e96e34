"""Prepared data sets on this machine: where they lie and where they came from."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import UserError
from bench.files import cache_folder, new_folder
from tasks.hub_fetch import Fetched, fetch
from tasks.hub_settings import SOURCE, HubSettings
from tasks.tabular.rows import RowReader

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

FORMAT = 1
_PROVENANCE = "provenance.json"


@dataclass(frozen=True)
class Prepared:
    """A data set's folder, whether it is filled or not.

    Attributes:
        name: The task's.
        settings: Which data set.
    """

    name: str
    settings: HubSettings

    @property
    def folder(self) -> Path:
        """Named by what is brought; by its files too where these lie in a folder of the user's."""
        wanted = self.settings.model_dump(mode="json", include=set(SOURCE))
        source = self.settings.folder
        key = {"format": FORMAT, **wanted, "files": _files_of(source) if source is not None else None}
        digest = hashlib.blake2b(json.dumps(key, sort_keys=True).encode(), digest_size=8).hexdigest()
        return cache_folder() / "hub" / f"{self.name}-{digest}"

    @property
    def filled(self) -> bool:
        """Whether it is there."""
        return (self.folder / _PROVENANCE).is_file()

    def provenance(self) -> dict[str, Any]:
        """Where it came from and when: what was asked for, the commit, the fingerprints of the splits."""
        facts: dict[str, Any] = json.loads((self.folder / _PROVENANCE).read_text("utf-8"))
        return facts

    def open(self) -> DatasetDict:
        """The rows, by our names of the splits."""
        from datasets import DatasetDict, load_from_disk

        data = load_from_disk(self.folder)
        assert isinstance(data, DatasetDict)
        return data

    def fill(self) -> dict[str, Any]:
        """Bring the data set; the folder appears when it is whole.

        Returns:
            The provenance.

        Raises:
            UserError: It cannot be had, or lacks a split or a column.
        """
        with new_folder(self.folder) as temporary:
            work = temporary / "work"
            work.mkdir()
            fetched = fetch(self.name, self.settings, work)
            data = _wanted(fetched.data, self.settings)
            data.save_to_disk(temporary)
            facts = self._facts(fetched, data)
            shutil.rmtree(work)
            (temporary / _PROVENANCE).write_text(json.dumps(facts, indent=1, ensure_ascii=False), "utf-8")
        return facts

    def _facts(self, fetched: Fetched, data: DatasetDict) -> dict[str, Any]:
        from datasets import __version__

        sources = self.settings.sources(fetched.data)
        return {
            **self.settings.model_dump(mode="json", include=set(SOURCE)),
            "commit": fetched.commit,
            "splits_of_source": dict(sources),
            "documents": {split: part.num_rows for split, part in data.items()},
            "columns": data["train"].column_names,
            "columns_left_out": sorted(
                set(fetched.data[sources["train"]].column_names) - set(data["train"].column_names)
            ),
            "fingerprints": {split: part._fingerprint for split, part in data.items()},
            "datasets": __version__,
            "prepared": datetime.now(UTC).isoformat(timespec="seconds"),
        }


def _wanted(data: DatasetDict, settings: HubSettings) -> DatasetDict:
    """The splits and the columns that a task can be made of."""
    from datasets import DatasetDict

    return DatasetDict({split: _readable(data[name], settings) for split, name in settings.sources(data).items()})


def _readable(part: Dataset, settings: HubSettings) -> Dataset:
    """With all columns of text, numbers and labels, so that other columns can be chosen without bringing it again.

    Raises:
        UserError: A column that the settings name is not there, or holds something else.
    """
    kept = [column for column, feature in part.features.items() if _is_plain(feature)]
    for column in settings.columns:
        if column in part.features and column not in kept:
            raise UserError(
                f"column {column!r} of {settings.place} holds {part.features[column]}; text, whole numbers, labels and "
                "lists of them are read"
            )
    RowReader(settings, kept, settings.place)
    return part.select_columns(kept)


def _is_plain(feature: Any) -> bool:
    from datasets import ClassLabel, LargeList, List, Value

    if isinstance(feature, List | LargeList):
        inner = feature.feature
        return isinstance(inner, ClassLabel) or (isinstance(inner, Value) and _is_word(inner.dtype))
    return isinstance(feature, ClassLabel) or (isinstance(feature, Value) and "binary" not in feature.dtype)


def _is_word(dtype: str) -> bool:
    return dtype in {"string", "large_string", "bool"} or "int" in dtype


def _files_of(folder: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of every file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    stats: Mapping[Path, Any] = {path: path.stat() for path in files}
    return [(str(path.relative_to(folder)), stat.st_size, stat.st_mtime_ns) for path, stat in stats.items()]
