"""The scripts within the page: DataTables and plotly from the packages that bring them, and our own.

Nothing of theirs is in this project. Both are packed, since a page is mailed more often than it is opened, and unpacked
by the page when something that needs them comes into sight.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_EXPORTS = re.compile(r"\bexport\s*\{([^{}]*)\};?")


@dataclass(frozen=True)
class Library:
    """A script of others.

    Attributes:
        name: What the page calls it.
        packed: Its text as UTF-8, by gzip, in base64.
        digest: What the page's policy knows it by.
    """

    name: str
    packed: str
    digest: str


@cache
def tables_library() -> Library:
    """DataTables from the bundle within itables; it sets ``window.itables``."""
    return _library("tables", exposed(_packaged("itables", "html/dt_bundle.js"), "itables"))


@cache
def plots_library() -> Library:
    """plotly.js from plotly; it sets ``window.Plotly``."""
    return _library("plots", _packaged("plotly", "package_data/plotly.min.js"))


def digest(script: str) -> str:
    """A script's source in a Content-Security-Policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def exposed(module: str, name: str) -> str:
    """A module's source as a script that leaves what it exports in a global.

    A module within a page can be imported only from an address, and a policy that lets addresses in lets others in too.

    Raises:
        ValueError: It does not end in one list of exports.
    """
    found = _EXPORTS.findall(module)
    if len(found) != 1:
        raise ValueError(f"{name}: {len(found)} lists of exports in its script, not one")
    pairs = [re.split(r"\s+as\s+", part.strip()) for part in found[0].split(",")]
    fields = ",".join(f'"{pair[-1]}":{pair[0]}' for pair in pairs)
    body = _EXPORTS.sub(lambda _: f"globalThis.{name}={{{fields}}};", module)
    return f'(()=>{{"use strict";{body}\n}})();'


def _packaged(package: str, path: str) -> str:
    """A file of a package, without importing it: itables alone would take seconds."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed: the page takes a script from it", name=package)
    # Line ends as a browser reads them, or its digest would be another.
    return (Path(spec.origin).parent / path).read_text("utf-8")


def _library(name: str, script: str) -> Library:
    packed = gzip.compress(script.encode(), compresslevel=9, mtime=0)
    return Library(name, base64.b64encode(packed).decode(), digest(script))
