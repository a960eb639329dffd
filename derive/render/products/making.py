"""How a product is to be made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Making:
    """`engine` is one of the product's (None: the first that is there). For products that work the problem again:
    `source` is the problem as YAML or JSON text, `options` what was said beside it, and `values` every number by id,
    in a mapping for each problem of the page.
    """

    template_dir: str | Path | None = None
    engine: str | None = None
    source: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    values: tuple[Mapping[str, float | list[float]], ...] = ()
