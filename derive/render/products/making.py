"""How a product is to be made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Making:
    """`engine` is one of the product's (None: the first that is there); `source` is the problem as YAML or JSON text,
    for products that work it again.
    """

    template_dir: str | Path | None = None
    engine: str | None = None
    source: str = ""
