"""Which quantity a layout names, so that a page can mark it wherever it occurs: in formulas, tables and figures.

Pages and figures carry the key as `data-q`.
"""

from __future__ import annotations

from derive.render.plain import plain
from derive.solution.layout import Colored, Identifier, Layout, Partial, Row, Transposed


def quantity_key(layout: Layout) -> str:
    """The displayed name as plain text: `net_h1`, `w5⁺`, `∂E_total/∂w5`; "" for what names no quantity, such as a sum.

    A colour or a transposition does not change which quantity it is.
    """
    match layout:
        case Identifier() | Partial():
            return plain(layout)
        case Colored(_, body) | Transposed(body):
            return quantity_key(body)
        case Row((item,)):
            return quantity_key(item)
    return ""
