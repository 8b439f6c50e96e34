"""The presets are the networks that their hub pages describe."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from pydantic import ValidationError

from bench.model_files import architecture_of
from bench.presets import Preset, find_preset, presets

PUBLISHED = {
    "google-bert/bert-base-uncased": 109_482_240,
    "microsoft/deberta-v3-base": 183_831_552,
    "answerdotai/ModernBERT-base": 149_014_272,
    "meta-llama/Llama-3.2-1B": 1_235_814_400,
    "meta-llama/Llama-3.1-8B": 8_030_261_248,
    "Qwen/Qwen3-0.6B": 596_049_920,
    "Qwen/Qwen3-8B": 8_190_735_360,
    "HuggingFaceTB/SmolLM2-1.7B": 1_711_376_384,
    "google/gemma-3-1b-pt": 999_885_952,
    "google/gemma-2-2b": 2_614_341_888,
    "mistralai/Mistral-7B-v0.3": 7_248_023_552,
}
by_id = pytest.mark.parametrize("preset", presets(), ids=lambda preset: preset.id)


def preset_of(name: str) -> Preset:
    preset = find_preset(name)
    assert preset is not None
    return preset


def config_of(name: str) -> Any:
    import transformers

    return transformers.AutoConfig.for_model(**preset_of(name).config)


@by_id
def test_a_preset_s_config_builds_a_network_of_its_size(preset: Preset) -> None:
    import torch
    import transformers

    config = transformers.AutoConfig.for_model(**preset.config)
    with torch.device("meta"):
        network = transformers.AutoModel.from_config(config)
    assert sum(weights.numel() for weights in network.parameters()) == preset.parameters


@pytest.mark.parametrize("name", PUBLISHED)
def test_sizes_are_the_published_ones(name: str) -> None:
    """Published totals count output embeddings that are not tied."""
    preset = preset_of(name)
    tied = preset.config["tie_word_embeddings"]
    head = 0 if tied else preset.config["vocab_size"] * preset.config["hidden_size"]
    assert preset.parameters + head == PUBLISHED[name]


@by_id
def test_encoders_and_decoders_are_told_by_their_config(preset: Preset) -> None:
    assert architecture_of(preset.config) == preset.architecture


def test_what_the_size_does_not_show() -> None:
    llama = config_of("Llama-3.2-1B").rope_parameters
    assert (llama["rope_type"], llama["rope_theta"], llama["factor"]) == ("llama3", 500_000, 32)
    assert config_of("Llama-3.1-8B").rope_parameters["factor"] == 8
    assert config_of("Qwen3-0.6B").rope_parameters["rope_theta"] == 1_000_000
    assert config_of("Qwen3-0.6B").sliding_window is None
    assert config_of("Mistral-7B-v0.3").sliding_window is None
    assert config_of("gemma-2-2b").final_logit_softcapping == 30
    assert config_of("deberta-v3-base").position_buckets == 256


@pytest.mark.parametrize(
    ("name", "sliding", "full"), [("gemma-3-1b-pt", 22, 4), ("gemma-2-2b", 13, 13), ("ModernBERT-base", 14, 8)]
)
def test_layers_that_see_a_window_only(name: str, sliding: int, full: int) -> None:
    assert Counter(config_of(name).layer_types) == {"sliding_attention": sliding, "full_attention": full}


def test_gated_models_are_those_with_a_licence_of_their_own() -> None:
    assert {preset.licence for preset in presets() if preset.gated} == {"llama3.1", "llama3.2", "gemma"}
    assert {preset.licence for preset in presets() if not preset.gated} == {"apache-2.0", "mit"}


def test_presets_are_found_by_id_and_by_its_last_part() -> None:
    for preset in presets():
        assert find_preset(preset.id) is preset
        assert find_preset(preset.id.rpartition("/")[2].lower()) is preset
    assert preset_of("QWEN/qwen3-0.6b").id == "Qwen/Qwen3-0.6B"
    assert find_preset("Qwen") is None
    assert find_preset("somebody/Qwen3-0.6B") is None


def test_unknown_keys_and_changes_are_refused() -> None:
    preset = presets()[0]
    with pytest.raises(ValidationError, match="colour"):
        Preset.model_validate({**preset.model_dump(), "colour": "blue"})
    with pytest.raises(ValidationError, match="frozen"):
        preset.parameters = 1  # type: ignore[misc]


def test_reading_presets_imports_nothing_heavy() -> None:
    code = (
        "import sys; from bench.presets import find_preset; find_preset('qwen3-0.6b');"
        "sys.exit(bool({'torch', 'transformers', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
