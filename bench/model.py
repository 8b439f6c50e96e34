"""Models: what a method starts from, named by a hub id, a local folder or the name of an embedded one.

``NAME:random`` is the same network with random weights. Resolving is cheap, works offline and imports neither torch nor
transformers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench import embedded
from bench.errors import ModelError
from bench.model_files import (
    PickledWeightsError,
    architecture_of,
    check_every_file,
    check_weights,
    folder_revision,
    read_config,
)
from bench.presets import Preset, find_preset
from bench.random_weights import RandomWeights
from bench.settings import expanded

RANDOM = ":random"
"""Behind a model's name: the network with random weights."""


@dataclass(frozen=True)
class ResolvedModel:
    """A model found on this machine.

    Attributes:
        name: What records call it: a hub id, an embedded name, or the last part of a folder's path and what is in it.
        revision: What its files are: a hash of them, or the hub's commit.
        folder: Where ``AutoModel.from_pretrained`` finds it, once :func:`materialise` has been called.
        architecture: ``encoder`` or ``decoder``.
        random: How it is made, where its weights are random.
    """

    name: str
    revision: str
    folder: Path
    architecture: Literal["encoder", "decoder"]
    random: RandomWeights | None = None

    @property
    def from_scratch(self) -> bool:
        """Whether its weights are random."""
        return self.random is not None


def resolve(name: str, local_models: Path | None = None) -> ResolvedModel:
    """Find a model on this machine.

    Looked for in this order: embedded models, a folder of that path, ``local_models``, the Hugging Face cache. The
    architecture of a model with random weights may come from a preset, too.

    Args:
        name: A hub id or the last part of a preset's, a folder with ``config.json``, or the name of an embedded model;
            ``:random`` behind it asks for random weights.
        local_models: A folder of models, each in a folder named by its id or by the last part of its id.

    Raises:
        ModelError: It is not here, or its files are incomplete or changed; the message says how to bring it.
    """
    if name.endswith(RANDOM):
        return _with_random_weights(name.removesuffix(RANDOM), local_models)
    folder = locate(name, local_models)
    if folder is None:
        raise _missing(name, local_models)
    with _explained(name, folder):
        config = read_config(folder)
        check_weights(folder)
        if name in embedded.ARCHITECTURES:
            check_every_file(folder)
    # A snapshot in the hub's cache is named by its commit.
    is_snapshot = folder.parent.name == "snapshots" and folder.parent.parent.name.startswith("models--")
    revision = folder.name if is_snapshot else folder_revision(folder)
    return ResolvedModel(_label(name, folder, revision), revision, folder.resolve(), _kind(name, config))


def locate(name: str, local_models: Path | None = None) -> Path | None:
    """The folder of a model, if it is on this machine; its files are not looked at."""
    for spelling in dict.fromkeys((name, known_name(name))):
        for folder in _local_folders(spelling, local_models):
            if (folder / "config.json").is_file():
                return folder
        snapshot = _cached_snapshot(spelling)
        if snapshot is not None:
            return snapshot
    return None


def materialise(model: ResolvedModel) -> Path:
    """The folder of a model, made first where its weights are random; methods call it in their ``load`` phase.

    Raises:
        ModelError: The folder has gone since the model was resolved.
    """
    if model.random is not None:
        return model.random.make()
    if not model.folder.is_dir():
        raise ModelError(f"model {model.name!r}: its folder {model.folder} has gone since the run was planned")
    return model.folder


def known_name(name: str) -> str:
    """What a model is called before it is found: a preset's id, the last part of a path, or just its name."""
    base = name.removesuffix(RANDOM)
    preset = find_preset(base)
    is_path = base.startswith(("~", ".")) or Path(base).is_absolute()
    known = preset.id if preset is not None else Path(base).name if is_path else base
    return known + name[len(base) :]


def hub_cache() -> Path:
    """Where the Hugging Face libraries keep what they download."""
    if "HF_HUB_CACHE" in os.environ:
        return Path(os.environ["HF_HUB_CACHE"]).expanduser()
    home = os.environ.get("HF_HOME")
    if home is None:
        home = os.path.join(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "huggingface")  # noqa: PTH118
    return Path(home).expanduser() / "hub"


def _with_random_weights(name: str, local_models: Path | None) -> ResolvedModel:
    """A preset's architecture is taken from its numbers even where its files are here: one name, one network."""
    preset = None if _is_folder(name) else find_preset(name)
    if preset is not None:
        return _to_be_made(preset.id, _of_preset(preset))
    folder = locate(name, local_models)
    if folder is None:
        raise _missing(name, local_models)
    with _explained(name, folder):
        config = read_config(folder)
    random = RandomWeights(known_name(name), _kind(name, config), config, folder)
    return _to_be_made(_label(name, folder, random.revision), random)


def _of_preset(preset: Preset) -> RandomWeights:
    """Without a download there is no tokenizer either: the embedded one goes along, with its special tokens."""
    tokenizer = embedded.folder(f"embedded-{preset.architecture}")
    special = {key: id_ for key, id_ in read_config(tokenizer).items() if key.endswith("_token_id")}
    return RandomWeights(preset.id, preset.architecture, {**preset.config, **special}, tokenizer)


def _to_be_made(label: str, random: RandomWeights) -> ResolvedModel:
    return ResolvedModel(f"{label}{RANDOM}", random.revision, random.folder, random.architecture, random)


def _label(name: str, folder: Path, revision: str) -> str:
    """Of a folder that was named by its path the last part and what is in it, not where it lies."""
    return f"{folder.resolve().name}@{revision[:6]}" if _is_folder(name) else known_name(name)


def _is_folder(name: str) -> bool:
    return name not in embedded.ARCHITECTURES and (expanded(name) / "config.json").is_file()


def _kind(name: str, config: dict[str, Any]) -> Literal["encoder", "decoder"]:
    architecture = architecture_of(config)
    if architecture is None:
        raise ModelError(
            f"model {name!r}: the model_type {config.get('model_type')!r} in its config.json is neither an encoder nor "
            "a decoder"
        )
    return architecture


@contextmanager
def _explained(name: str, folder: Path) -> Iterator[None]:
    """What is wrong with a folder comes out with the model's name and the remedy."""
    try:
        yield
    except PickledWeightsError as error:
        raise ModelError(f"model {name!r}: {error}") from None
    except ModelError as error:
        raise ModelError(f"model {name!r}: {error}; {_remedy(name, folder)}") from None


def _remedy(name: str, folder: Path) -> str:
    if name in embedded.ARCHITECTURES:
        return "install bench-text again"
    if folder.is_relative_to(hub_cache().resolve()) or folder.is_relative_to(hub_cache()):
        return f"run `bench prepare {known_name(name)}`"
    return f"copy {folder} again"


def _local_folders(name: str, local_models: Path | None) -> Iterator[Path]:
    if name in embedded.ARCHITECTURES:
        yield embedded.folder(name)
        return
    yield expanded(name)
    if local_models is not None:
        yield local_models / name
        yield local_models / Path(name).name


def _cached_snapshot(name: str) -> Path | None:
    """The cached snapshot of a hub id's main branch, or its only one."""
    repository = hub_cache() / f"models--{name.replace('/', '--')}"
    main = repository / "refs" / "main"
    if main.is_file():
        snapshot = repository / "snapshots" / main.read_text("utf-8").strip()
        return snapshot if (snapshot / "config.json").is_file() else None
    whole = [config.parent for config in repository.glob("snapshots/*/config.json")]
    return whole[0] if len(whole) == 1 else None


def _missing(name: str, local_models: Path | None) -> ModelError:
    hub_id = known_name(name)
    places = [str(path) for path in _local_folders(name, local_models)] + [str(hub_cache())]
    preset = find_preset(name)
    gate = f" (first accept its licence at {preset.page})" if preset is not None and preset.gated else ""
    return ModelError(
        f"model {name!r} is not on this machine (looked in {', '.join(places)}); run `bench prepare {hub_id}`{gate}"
    )
