"""Calling a function in a fresh interpreter: nothing imported, and strings hashed otherwise than here.

A set of strings comes in another order there, which is how a task shows that it depends on that.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any, TypeVar

Returned = TypeVar("Returned")


def apart(function: Callable[..., Returned], *arguments: Any) -> Returned:
    """What a module's function returns in a process of its own; what it raises is raised here.

    Raises:
        RuntimeError: The process ended without an answer.
    """
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    done = subprocess.run(  # noqa: S603 (this interpreter, this module)
        # -P: what lies in the user's current folder is not imported, whatever it is called.
        [sys.executable, "-P", "-m", __name__],
        input=pickle.dumps((sys.path, function, arguments)),
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONHASHSEED": seed},
        check=False,
    )
    answer, error = _read(done)
    if error is not None:
        raise error
    returned: Returned = answer
    return returned


def _read(done: subprocess.CompletedProcess[bytes]) -> tuple[Any, BaseException | None]:
    if done.returncode or not done.stdout:
        raise RuntimeError(f"a process of its own ended with code {done.returncode} and no answer")
    try:
        # It is the answer of our own child, sent through a pipe that nobody else holds.
        answer, error = pickle.loads(done.stdout)  # noqa: S301
    except Exception as fault:  # pickle raises whatever the bytes lead it to
        raise RuntimeError(f"a process of its own gave an answer that cannot be read: {fault}") from fault
    return answer, error


def _answer() -> None:
    """Read a call, write what came of it; what the function prints goes to standard error."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.path[:], function, arguments = pickle.loads(sys.stdin.buffer.read())  # noqa: S301
    answer: tuple[Any, BaseException | None]
    try:
        answer = (function(*arguments), None)
    except (Exception, SystemExit) as error:
        answer = (None, _plain(error))
    with out:
        out.write(pickle.dumps(answer))


def _plain(error: BaseException) -> BaseException:
    """The error, or its words where it does not travel."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


if __name__ == "__main__":
    _answer()
