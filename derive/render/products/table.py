"""The table of products: files that are no text of ours but made from a page.

A new product is one entry of PRODUCTS and one file of this folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from derive.render.products.making import Making
from derive.render.products.pdf import ENGINES, pdf
from derive.solution.document import Document


@dataclass(frozen=True)
class Product:
    """A kind of file, and how it is made. `make` raises DeriveError where a program or package that it needs is not
    there, naming the one command that installs it.
    """

    name: str
    endings: tuple[str, ...]
    make: Callable[[Document, Making], bytes]
    engines: tuple[str, ...] = ()  # the ways to make it, of which `Making.engine` names one


def _notebook(document: Document, making: Making) -> bytes:
    from derive.render.products.notebook import notebook  # late: a process makes one kind of file

    return notebook(document, making)


def _word(document: Document, making: Making) -> bytes:
    from derive.render.products.word import word

    return word(document, making)


PRODUCTS: dict[str, Product] = {
    entry.name: entry
    for entry in (
        Product("pdf", (".pdf",), pdf, engines=ENGINES),
        Product("ipynb", (".ipynb",), _notebook),
        Product("docx", (".docx",), _word),
    )
}
