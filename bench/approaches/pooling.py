"""Pooling: from one vector a token to one vector a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def last_token(hidden: Tensor, mask: Tensor) -> Tensor:
    """The vector of each document's last token, by the mask and never by token ids.

    Ids would mislead where the padding token also ends texts, or occurs in one.

    Args:
        hidden: Shape (documents, width, size).
        mask: Shape (documents, width); 1 where a token is. Padding may be on either side.

    Returns:
        Shape (documents, size).
    """
    import torch

    positions = torch.arange(mask.shape[1], device=mask.device)
    last = (mask * positions).argmax(dim=1)
    return hidden[torch.arange(len(hidden), device=hidden.device), last]
