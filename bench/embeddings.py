"""Documents as vectors of a pretrained network that is not trained, computed once and kept.

What was computed lies in the cache folder under ``embeddings``, a folder for each set of texts. Beside other documents
a document is padded to another width, which moves the last bits of its vector: texts are therefore kept together, as
they were computed, so that what a cell predicts does not depend on what ran before it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from bench.array_cache import ArrayCache, content_key
from bench.encoding import Encoded, Padded, load_tokenizer, padding_id
from bench.errors import ModelError, UserError
from bench.files import cache_folder
from bench.inference import Inference, predict_in_batches
from bench.meters.environment import hardware
from bench.model import materialise
from bench.settings import Settings
from bench.source import FirstParty, SourceHasher
from bench.spaces import AnyOf
from bench.training import Precision, compute_dtype, encode_documents, quiet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.array_cache import Arrays
    from bench.method import Context
    from bench.model import ResolvedModel

    Vectors = NDArray[np.float32]


class EmbeddingSettings(Settings):
    """Settings of every method that reads documents with a network that it does not train."""

    pooling: Annotated[
        Literal["mean", "last", "cls", "max", "weighted-mean"], AnyOf("mean", "last", "weighted-mean")
    ] = Field(
        "mean",
        description="how tokens become a document; cls: an encoder's first token; weighted-mean: later tokens weigh "
        "more",
    )
    max_tokens: int = Field(
        256, ge=1, description="tokens of a document; longer ones lose their end; special tokens come on top"
    )
    batch_size: int = Field(64, ge=1, description="documents that the network reads at once")
    precision: Precision = Field(
        "auto", description="what the network computes in; auto: bfloat16 where a CUDA device has it, else float32"
    )


@dataclass(frozen=True)
class Embeddings:
    """Texts as vectors.

    Attributes:
        vectors: float32, shape (texts, size).
        truncated_share: Part of the texts that lost their end.
        seconds: What computing them took, tokenising included.
        recalled: Whether they were read from the cache.
    """

    vectors: Vectors
    truncated_share: float
    seconds: float
    recalled: bool = False


@dataclass(frozen=True)
class Embedder:
    """A network with its tokenizer, ready to read.

    Attributes:
        network: In the dtype it computes in, on its device.
        tokenizer: Its tokenizer.
        pooling: From tokens to a document.
        settings: How it reads.
        revision: Of the model.
    """

    network: Any
    tokenizer: Any
    pooling: Any
    settings: EmbeddingSettings
    revision: str

    @classmethod
    def load(cls, model: ResolvedModel, settings: EmbeddingSettings, context: Context) -> Embedder:
        """The embedder of a model.

        Raises:
            UserError: Its vectors would say nothing.
        """
        from transformers import AutoModel

        from bench.pooling import make_pooling

        if settings.pooling == "cls" and model.architecture == "decoder":
            raise UserError(
                f"pooling=cls: the first token of a decoder such as {model.name} has seen nothing of the document; set "
                "pooling=mean or last"
            )
        folder = materialise(model)
        dtype = compute_dtype(context.device, settings.precision)
        with quiet():
            network = AutoModel.from_pretrained(folder, dtype=dtype, local_files_only=True, use_safetensors=True)
        network.config.use_cache = False
        network = network.to(context.device).requires_grad_(False).eval()
        pooling = make_pooling(settings.pooling, network.config.get_text_config().hidden_size)
        return cls(network, load_tokenizer(folder), pooling, settings, model.revision)

    def embed(self, texts: Sequence[str], context: Context) -> Embeddings:
        """The vectors of texts: from the cache, or computed and kept there.

        Where they come from the cache, the open phase is told that its work was not done.

        Raises:
            ModelError: See :meth:`compute`.
        """
        cache = ArrayCache(cache_folder() / "embeddings")
        key, at_once = self._key(texts, context), self._at_once(context)
        found = _unpacked(cache.get(key), len(texts))
        if found is not None:
            context.window.recalled()
            return found
        started = time.perf_counter()
        encoded = self._tokenise(texts)
        vectors = self._gathered(self._inference.batches(encoded.rows, context), texts, context)
        made = Embeddings(vectors, encoded.truncated_share, time.perf_counter() - started)
        if self._at_once(context) < at_once:
            return made  # in batches of several sizes, as no other cell would compute them
        try:
            cache.put(key, _packed(made))
        except OSError as error:  # it costs the next cell time, and this one nothing
            context.note(embeddings_not_kept=f"{type(error).__name__}: {error}")
        return made

    def compute(self, texts: Sequence[str], context: Context) -> Vectors:
        """The vectors of texts, computed now, whatever is kept: for measuring how fast that is.

        Raises:
            ModelError: They are not finite.
        """
        return self._gathered(predict_in_batches(texts, self._inference, context), texts, context)

    @property
    def _inference(self) -> Inference[Vectors]:
        settings, filler = self.settings, padding_id(self.tokenizer)
        return Inference(self._tokenise, self._forward, filler, settings.batch_size, precision=settings.precision)

    def _at_once(self, context: Context) -> int:
        """Documents to a batch that fit into memory."""
        return context.back_off.at_most("predict_batch", self.settings.batch_size)

    def _tokenise(self, texts: Sequence[str]) -> Encoded:
        return encode_documents(self.tokenizer, self.network.config, texts, self.settings)

    def _forward(self, batch: Padded) -> Vectors:
        import torch

        hidden = self.network(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
        with torch.autocast(hidden.device.type, enabled=False):
            pooled: Vectors = self.pooling(hidden, batch.mask).cpu().numpy()
        return pooled

    def _gathered(
        self, batches: Iterable[tuple[list[int], Vectors]], texts: Sequence[str], context: Context
    ) -> Vectors:
        import numpy as np

        rows: dict[int, Vectors] = {}
        for chosen, vectors in batches:
            rows |= dict(zip(chosen, vectors, strict=True))
            context.progress(context.phase_name, len(rows), len(texts))
        gathered = np.stack([rows[place] for place in range(len(texts))])
        lost = int((~np.isfinite(gathered)).any(axis=1).sum())
        if lost:
            raise ModelError(
                f"the model's vectors of {lost} of {len(texts)} documents are not finite; set precision=float32, or "
                "choose another model"
            )
        return gathered

    def _key(self, texts: Sequence[str], context: Context) -> str:
        """All that can move a bit of the vectors, in one word."""
        import tokenizers
        import torch
        import transformers

        cuda = context.device.startswith("cuda")
        on = [torch.cuda.get_device_name(context.device)] if cuda else [hardware()["cpu"], context.threads]
        facts = [
            self.revision,
            self.settings.model_dump(mode="json", include=set(EmbeddingSettings.model_fields)),
            [str(compute_dtype(context.device, self.settings.precision)), context.device, on, self._at_once(context)],
            [torch.__version__, transformers.__version__, tokenizers.__version__],
            SourceHasher(FirstParty.of()).hash([__name__]),
        ]
        return content_key(facts, texts)


def _packed(made: Embeddings) -> Arrays:
    import numpy as np

    return {"vectors": made.vectors, "facts": np.array([made.truncated_share, made.seconds])}


def _unpacked(kept: Arrays | None, count: int) -> Embeddings | None:
    """None where it is not what :func:`_packed` makes of so many texts."""
    import numpy as np

    if kept is None or kept.keys() != {"vectors", "facts"}:
        return None
    vectors = kept["vectors"]
    if vectors.dtype != np.float32 or vectors.ndim != 2 or len(vectors) != count:
        return None
    truncated, seconds = map(float, kept["facts"])
    return Embeddings(vectors, truncated, seconds, recalled=True)
