"""Documents that are learnt from are tokenised once for all cells that read them alike.

What was made lies in the cache folder under ``tokens``. Documents that are labelled are tokenised every time: how fast
that is belongs to the speed of prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from bench.array_cache import ArrayCache, content_key
from bench.encoding import Encode, Encoded, encode
from bench.files import cache_folder
from bench.source import FirstParty, SourceHasher

if TYPE_CHECKING:
    from bench.array_cache import Arrays
    from bench.method import Context


def encode_once(context: Context) -> Encode:
    """What :func:`bench.encoding.encode` does, in a phase ``tokenise`` of its own, from the cache where it was done.

    Then the phase is told that its work was not done now. A tokenizer whose state cannot be read as a whole, as those
    of plain Python, does its work every time.
    """

    def encode_or_recall(tokenizer: Any, texts: Sequence[str], budget: int) -> Encoded:
        with context.phase("tokenise") as window:
            facts = _facts(tokenizer, budget)
            if facts is None:
                return encode(tokenizer, texts, budget)
            cache, key = ArrayCache(cache_folder() / "tokens"), content_key(facts, texts)
            found = _unpacked(cache.get(key), len(texts))
            if found is not None:
                window.recalled()
                return found
            made = encode(tokenizer, texts, budget)
            try:
                cache.put(key, _packed(made))
            except OSError as error:  # it costs the next cell time, and this one nothing
                context.note(tokens_not_kept=f"{type(error).__name__}: {error}")
            return made

    return encode_or_recall


def _facts(tokenizer: Any, budget: int) -> list[Any] | None:
    """All but the texts that token ids depend on; None where it is not to be had."""
    import tokenizers
    import transformers

    backend = getattr(tokenizer, "backend_tokenizer", None)
    if not isinstance(backend, tokenizers.Tokenizer):
        return None
    marks = [tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id]
    versions = [tokenizers.__version__, transformers.__version__]
    return [backend.to_str(), marks, budget, versions, SourceHasher(FirstParty.of()).hash([encode.__module__])]


def _packed(made: Encoded) -> Arrays:
    import numpy as np

    lengths = [len(row) for row in made.rows]
    ids = np.fromiter((id_ for row in made.rows for id_ in row), dtype=np.int32, count=sum(lengths))
    return {"ids": ids, "lengths": np.array(lengths, dtype=np.int32), "truncated": np.array(made.truncated)}


def _unpacked(kept: Arrays | None, count: int) -> Encoded | None:
    """None where it is not what :func:`_packed` makes of so many documents."""
    if kept is None or kept.keys() != {"ids", "lengths", "truncated"}:
        return None
    ids, lengths = kept["ids"].tolist(), kept["lengths"].tolist()
    if len(lengths) != count or sum(lengths) != len(ids):
        return None
    return Encoded([ids[start:end] for start, end in pairwise(accumulate(lengths, initial=0))], int(kept["truncated"]))
