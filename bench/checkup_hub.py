"""The checks of ``bench doctor`` on the Hugging Face hub: whether it can be reached, and what of it is here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from bench.checkup import Finding

PATIENCE_SECONDS = 2.5
_REMEDY = (
    "bench runs offline; only `bench prepare` needs the hub. Behind a proxy set HTTPS_PROXY, for a mirror HF_ENDPOINT"
)


def hub() -> list[Finding]:
    """Whether the hub answers, in a few seconds at most; that it does not is no fault."""
    from huggingface_hub import constants

    if constants.is_offline_mode():
        return [Finding("hub", "note", "not asked: HF_HUB_OFFLINE is set", "unset it before `bench prepare`")]
    reason = why_unreachable(lambda: _ask(constants.ENDPOINT))
    if reason is None:
        return [Finding("hub", "ok", f"{constants.ENDPOINT} answers")]
    return [Finding("hub", "note", f"{constants.ENDPOINT} cannot be reached: {reason}", _REMEDY)]


def kept() -> list[Finding]:
    """How many models and data sets lie in the hub's cache."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE)
    models, datasets = (len(list(folder.glob(f"{kind}--*"))) for kind in ("models", "datasets"))
    return [Finding("hub cache", "ok", f"{folder}, {models} models, {datasets} data sets")]


def why_unreachable(ask: Callable[[], None], patience: float = PATIENCE_SECONDS) -> str | None:
    """Why asking fails; None where it does not.

    Args:
        ask: Raises where there is no answer, or no address to ask.
        patience: Seconds to wait, whatever it does: looking up a name heeds no other limit.
    """
    answers: list[str | None] = []

    def call() -> None:
        try:
            ask()
        except Exception as error:  # an HF_ENDPOINT may be anything
            answers.append(str(getattr(error, "reason", None) or error))
        else:
            answers.append(None)

    asking = threading.Thread(target=call, name="bench-hub", daemon=True)
    asking.start()
    asking.join(patience)
    return answers[0] if answers else f"no answer within {patience:g} s"


def _ask(endpoint: str) -> None:
    request = Request(f"{endpoint}/api/models?limit=1", method="HEAD")  # noqa: S310 - the hub's own address
    try:
        with urlopen(request, timeout=PATIENCE_SECONDS):  # noqa: S310
            pass
    except HTTPError:  # it is there, whatever it says
        pass
