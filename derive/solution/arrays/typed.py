"""What is said of a layer that somebody typed: what the functions in its formulas are, and their derivatives."""

from __future__ import annotations

from collections.abc import Iterator

from derive.formula.parse import parse
from derive.formula.tree import Call, Name, called
from derive.network.graph import LayerView
from derive.network.layers import replaced
from derive.problem.activations import ACTIVATIONS
from derive.solution.arrays.sheet import Sheet
from derive.solution.document import Block
from derive.solution.page import say
from derive.solution.typed_names import typed_name
from derive.solution.typeset import Typesetter

_TOLD = ("sigmoid", "tanh", "relu", "softplus")  # what a reader may not know by heart


def about(sheet: Sheet, view: LayerView) -> Iterator[Block]:
    """Each function that the layer calls: its definition, and its derivative."""
    trees = [definition.tree for definition in sheet.defined(view) if definition.tree is not None]
    functions = {name for tree in trees for name in called(tree)}
    typeset = Typesetter(typed_name, lambda element: typed_name(element.array), False)
    for name in _TOLD:
        entry = ACTIVATIONS[name]
        if name not in functions or entry.formula is None or entry.derivative is None:
            continue
        function = Call(name, (Name("z"),))
        if name != "tanh":  # it has no other name
            yield say("about_function", function=typeset(function), formula=typeset(parse(entry.formula)))
        slope = replaced(parse(entry.derivative), {"a": function})
        yield say("slope_of_function", function=typeset(function), slope=typeset(slope))
