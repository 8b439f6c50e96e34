"""Reads a data set from the hub or from a folder, and says in one line what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import UserError, unknown_name
from tasks.hub_settings import HubSettings

if TYPE_CHECKING:
    from datasets import DatasetDict

_HUB = "https://huggingface.co/datasets"


@dataclass(frozen=True)
class Fetched:
    """A data set as its source holds it.

    Attributes:
        data: By the source's names of the splits.
        commit: The commit of the hub's repository; None for a folder.
    """

    data: DatasetDict
    commit: str | None


def fetch(name: str, settings: HubSettings, work: Path) -> Fetched:
    """Read a data set; the only function that uses the network.

    The commit is looked up first, so that what is read is that commit and nothing that an earlier call left in a cache.

    Args:
        name: The task's, for messages.
        settings: Which data set.
        work: An empty folder for what is to be thrown away.

    Raises:
        UserError: It cannot be had; the message says what to do.
    """
    with _told(name, settings):
        if settings.folder is not None:
            return Fetched(_from_folder(settings.folder, settings, work), None)
        from huggingface_hub import HfApi

        commit = HfApi().dataset_info(settings.dataset, revision=settings.revision).sha
        # With the scheme, since a folder of that name in the working folder would be read in the data set's place.
        return Fetched(_load(f"hf://datasets/{settings.dataset}", settings, work, commit), commit)


def _from_folder(folder: Path, settings: HubSettings, work: Path) -> DatasetDict:
    from datasets import Dataset, DatasetDict, load_from_disk

    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    if not any((folder / name).is_file() for name in ("dataset_dict.json", "state.json")):
        return _load(str(folder), settings, work, None)
    saved = load_from_disk(folder)
    return DatasetDict({"train": saved}) if isinstance(saved, Dataset) else saved


def _load(path: str, settings: HubSettings, work: Path, commit: str | None) -> DatasetDict:
    import datasets

    files = {split: [files] if isinstance(files, str) else list(files) for split, files in _files(settings)}
    try:
        loaded: DatasetDict = datasets.load_dataset(
            path, settings.config, revision=commit, data_files=files or None, cache_dir=str(work)
        )
    except ValueError as error:
        if "BuilderConfig" not in str(error) and "Config name is missing" not in str(error):
            raise
        known = datasets.get_dataset_config_names(path, revision=commit)
        if settings.config is None:
            raise UserError(f"{settings.place} has several configs: {', '.join(known)}; set config=") from error
        raise unknown_name(f"config of {settings.place}", settings.config, known) from error
    return loaded


def _files(settings: HubSettings) -> Any:
    return (settings.data_files or {}).items()


@contextmanager
def _told(name: str, settings: HubSettings) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # what reads a stranger's files may raise anything
        raise UserError(f"task {name}: {_what_happened(error, settings, name)}") from error


def _what_happened(error: Exception, settings: HubSettings, name: str) -> str:
    from datasets.exceptions import DataFilesNotFoundError
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]  # named so by `datasets` too

    source, text = settings.place, " ".join(str(error).split())
    if "Dataset scripts are no longer supported" in text:
        return (
            f"{source} is a script, and no code of a data set is run; name its Parquet files instead: revision="
            "refs/convert/parquet data_files={train: CONFIG/train/*.parquet, test: CONFIG/test/*.parquet}"
        )
    refusal = _refusal(error, settings)
    if refusal is not None:
        return refusal
    if isinstance(error, DataFilesNotFoundError | FileNotFoundError):
        return f"{source} holds no data files that fit: {text[:200]}"
    if isinstance(error, ConnectionError | httpx.TransportError):
        return (
            f"{source} cannot be fetched, the hub is out of reach ({text[:160]}); prepare it where there is a network, "
            f"or name a copy: bench prepare {name} --set local=FOLDER"
        )
    return f"{source} cannot be read: {type(error).__name__}: {text[:200]}"


def _refusal(error: Exception, settings: HubSettings) -> str | None:
    """What the hub has against it; None: nothing."""
    from datasets.exceptions import DatasetNotFoundError
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    source = settings.dataset
    if isinstance(error, GatedRepoError) or "gated dataset" in str(error):
        return f"{source} asks you to accept its terms at {_HUB}/{source}; then `hf auth login`, then prepare again"
    if isinstance(error, RevisionNotFoundError):
        return f"{source} has no revision {settings.revision}; take one of {_HUB}/{source}/commits/main"
    if isinstance(error, RepositoryNotFoundError | DatasetNotFoundError):
        return f"{source} is not on the hub, or not for everybody; check the id, or log in with `hf auth login`"
    return None
