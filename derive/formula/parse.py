"""A typed formula into the tree: a precedence parser, with names only from the problem's own.

    formula    = ["-"] term {("+" | "-") term}      condition = comparison {"and" comparison}
    term       = power {("*" | "/") power}          comparison = formula relation formula {relation formula}
    power      = primary ["^" signed power]               `-x^2` is -(x^2), `a^b^c` is a^(b^c)
    primary    = number | name | name "[" formulas "]" | name "(" formulas ")" | "(" formula ")"
               | "if" "(" condition "," formula "," formula ")" | "sum" "(" formula "," index {"," index} ")"

Implicit multiplication is an error. Nothing here knows values or SymPy.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

from derive.errors import FormulaError, suggestion
from derive.formula.functions import ALIASES, CALLABLE, FUNCTIONS
from derive.formula.limits import MAX_DEPTH, excess
from derive.formula.tokens import Token, tokenize
from derive.formula.tree import (
    BigSum,
    Both,
    Call,
    Cases,
    Compare,
    Element,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Tree,
)

RELATIONS = frozenset({"<", "<=", ">", ">=", "==", "!="})
FORMS = frozenset({"if", "sum"})  # what looks like a call and is not one
E = Call("exp", (Number("1"),))
CONSTANTS: Mapping[str, Tree] = {"e": E, "pi": Call("pi", ())}


def parse(text: str, names: Collection[str] | None = None, arrays: Collection[str] | None = None) -> Tree:
    """The tree of a typed formula.

    `names` are what it may speak of, `arrays` what it may index; None for both allows every name. Where only
    `names` is given, nothing can be indexed. `e` and `pi` are the constants unless they are among the names.
    Raises FormulaError, with the place, for everything that cannot be read.
    """
    return _Parser(text, names, arrays).whole()


class _Parser:
    """One reading of one text; `_at` counts the tokens consumed."""

    def __init__(self, text: str, names: Collection[str] | None, arrays: Collection[str] | None) -> None:
        self._text, self._names = text, names
        self._arrays = arrays if arrays is not None or names is None else ()
        self._tokens = tokenize(text)
        self._at = 0
        self._depth = 0
        self._unknown: list[Token] = []  # names that only a `sum` still open may declare as its index
        self._places: dict[int, tuple[Tree, int]] = {}  # by the id() of a node, kept alive with it

    def whole(self) -> Tree:
        if len(self._tokens) == 1:
            raise self._error("expected a formula, found nothing")
        tree = self._formula()
        if self._next.kind != "end":
            raise self._stray()
        if self._unknown:
            raise self._unknown_name(self._unknown[0])
        beyond = excess(tree)
        if beyond is not None:
            _, position = self._places.get(id(beyond.node), (beyond.node, 0))
            raise FormulaError(beyond.message, self._text, position)
        return tree

    # Formulas, from the loosest operator to the tightest.

    def _formula(self) -> Tree:
        start = self._next
        terms = [self._signed(self._term)]
        while self._sees("+", "-"):
            sign = self._take()
            term = self._signed(self._term)
            terms.append(self._placed(Negative(term), sign) if sign.text == "-" else term)
        return terms[0] if len(terms) == 1 else self._placed(Sum(tuple(terms)), start)

    def _signed(self, read: Callable[[], Tree]) -> Tree:
        """What `read` reads, after any signs."""
        if not self._sees("+", "-"):
            return read()
        with self._deeper():
            sign = self._take()
            body = self._signed(read)
        return self._placed(Negative(body), sign) if sign.text == "-" else body

    def _term(self) -> Tree:
        start = self._next
        factors = [self._power()]
        while self._sees("*", "/"):
            sign = self._take()
            factor = self._signed(self._power)
            if sign.text == "*":
                factors.append(factor)
            else:
                factors = [self._placed(Quotient(self._product(factors, start), factor), sign)]
        return self._product(factors, start)

    def _product(self, factors: list[Tree], start: Token) -> Tree:
        return factors[0] if len(factors) == 1 else self._placed(Product(tuple(factors)), start)

    def _power(self) -> Tree:
        start = self._next
        base = self._primary()
        if not self._sees("^"):
            return base
        with self._deeper():
            self._take()
            exponent = self._signed(self._power)
        if start.text == "e" and base == E:
            return self._placed(Call("exp", (exponent,)), start)
        return self._placed(Power(base, exponent), start)

    def _primary(self) -> Tree:
        token = self._next
        with self._deeper():
            if token.kind == "number":
                return self._placed(Number(self._take().text), token)
            if token.kind == "name":
                return self._placed(self._named(self._take()), token)
            if self._sees("("):
                self._take()
                tree = self._formula()
                self._expect(")")
                return tree
        raise self._error(f"expected a value{self._after()}, found {token}")

    # What a name may begin.

    def _named(self, token: Token) -> Tree:
        if self._sees("["):
            return self._element(token)
        if not self._sees("("):
            return self._plain_name(token)
        if token.text == "if":
            return self._cases()
        if token.text == "sum":
            return self._big_sum()
        return self._call(token)

    def _plain_name(self, token: Token) -> Tree:
        listed = self._names is not None and token.text in self._names
        if token.text in CONSTANTS and not listed:
            return CONSTANTS[token.text]
        if token.text in CALLABLE | FORMS and not listed:
            raise self._error(f"expected '(' after '{token.text}', found {self._next}")
        if self._names is not None and not listed:
            self._unknown.append(token)
        return Name(token.text)

    def _element(self, token: Token) -> Tree:
        if self._arrays is not None and token.text not in self._arrays:
            known = suggestion(token.text, self._arrays) if self._arrays else "; no name takes an index here"
            raise self._error(f"unknown array '{token.text}'{known}", token)
        self._take()
        indices = self._list()
        self._expect("]")
        return Element(token.text, indices)

    def _call(self, token: Token) -> Tree:
        name = ALIASES.get(token.text, token.text)
        if token.text not in CALLABLE:
            if token.text in CONSTANTS or (self._names is not None and token.text in self._names):
                raise self._stray()
            near = suggestion(token.text, CALLABLE | FORMS)
            raise self._error(f"unknown function '{token.text}'{near}", token)
        self._take()
        arguments = self._list()
        self._expect(")")
        if not FUNCTIONS[name].takes(len(arguments)):
            wanted = FUNCTIONS[name].arity
            raise self._error(f"'{token.text}' takes {wanted}, found {len(arguments)}", token)
        return Call(name, arguments)

    def _list(self) -> tuple[Tree, ...]:
        items = [self._formula()]
        while self._sees(","):
            self._take()
            items.append(self._formula())
        return tuple(items)

    def _cases(self) -> Tree:
        """`if(p, a, if(q, b, c))` is one node of two branches."""
        self._take()
        condition = self._condition()
        self._expect(",")
        value = self._formula()
        self._expect(",")
        otherwise = self._formula()
        self._expect(")")
        if isinstance(otherwise, Cases):
            return Cases(((condition, value), *otherwise.branches), otherwise.otherwise)
        return Cases(((condition, value),), otherwise)

    def _condition(self) -> Tree:
        """Comparisons joined by `and`; `0 < x < 1` is two of them."""
        start = self._next
        comparisons: list[Tree] = []
        while True:
            left = self._formula()
            if not self._sees(*RELATIONS):
                raise self._error(f"expected a comparison such as '>'{self._after()}, found {self._next}")
            while self._sees(*RELATIONS):
                relation = self._take()
                right = self._formula()
                comparisons.append(self._placed(Compare(relation.text, left, right), relation))
                left = right
            if not self._sees("and"):
                break
            self._take()
        return comparisons[0] if len(comparisons) == 1 else self._placed(Both(tuple(comparisons)), start)

    def _big_sum(self) -> Tree:
        """The indices come last and hold in the body, so its unknown names are judged once they are read."""
        self._take()
        before = len(self._unknown)
        body = self._formula()
        indices: list[str] = []
        self._expect(",")
        while True:
            if self._next.kind != "name":
                raise self._error(f"expected an index{self._after()}, found {self._next}")
            token = self._take()
            if token.text in indices:
                raise self._error(f"index '{token.text}' is named twice", token)
            indices.append(token.text)
            if not self._sees(","):
                break
            self._take()
        self._expect(")")
        self._unknown[before:] = [token for token in self._unknown[before:] if token.text not in indices]
        return BigSum(body, tuple(indices))

    # Tokens.

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _sees(self, *operators: str) -> bool:
        return self._next.kind == "operator" and self._next.text in operators

    def _take(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, operator: str) -> None:
        if not self._sees(operator):
            starts_value = self._next.kind in ("number", "name") or self._sees("(")
            raise self._stray() if starts_value else self._error(f"expected '{operator}', found {self._next}")
        self._take()

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(f"a formula nested more than {MAX_DEPTH} deep")
        yield
        self._depth -= 1

    def _placed(self, tree: Tree, token: Token) -> Tree:
        self._places[id(tree)] = (tree, token.position)
        return tree

    # Complaints.

    def _error(self, message: str, token: Token | None = None) -> FormulaError:
        return FormulaError(message, self._text, (token or self._next).position)

    def _after(self) -> str:
        return f" after {self._tokens[self._at - 1]}" if self._at else ""

    def _stray(self) -> FormulaError:
        """What came where the formula could have ended."""
        if self._next.kind in ("number", "name") or self._sees("("):
            return self._error(f"expected an operator{self._after()}, found {self._next}; write * to multiply")
        if self._sees(*RELATIONS):
            return self._error(f"unexpected {self._next}; a comparison stands only in if(condition, value, otherwise)")
        return self._error(f"expected an operator{self._after()}, found {self._next}")

    def _unknown_name(self, token: Token) -> FormulaError:
        return self._error(f"unknown name '{token.text}'{suggestion(token.text, self._names or ())}", token)
