"""A formula that a student typed, in text or LaTeX, into the tree; what is not certain is refused, never guessed.

    formula = term {("+" | "-") term}        term = factor {["*" | "/"] factor}      `o_1(1-o_1)` is a product
    factor  = primary ["^" exponent]         primary = number | name | "(" formula ")" | function argument | \\frac{}{}
                                                     | \\sqrt{} | "|" formula "|"

`1/2(t-o)` is a half of the bracket, `1/2x` is refused: it may be either.
"""

from __future__ import annotations

from collections.abc import Callable

from derive.errors import FormulaError
from derive.formula.answer_tokens import Names, Token, tokens_of
from derive.formula.functions import FUNCTIONS
from derive.formula.limits import MAX_DEPTH, excess
from derive.formula.tree import (
    Call,
    Cases,
    Compare,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Tree,
)

ONE = Number("1")
_STARTS = frozenset({"number", "name", "function", "constant"})
_OPENING = {"(": ")", "[": "]", "{": "}", "|": "|"}


def read_formula(text: str, names: Names, asked: str = "") -> Tree:
    """The tree of a student's formula over the ids of `names`. `asked = formula` is read as the formula.

    Raises FormulaError, with the place, for everything that cannot be read with certainty.
    """
    return _Reader(text, names).whole(asked)


class _Reader:
    """One reading of one text."""

    def __init__(self, text: str, names: Names) -> None:
        self.text = text
        self.tokens = tokens_of(text, names)
        self.at = 0
        self.depth = 0
        self.bars = 0

    def whole(self, asked: str) -> Tree:
        tree = self.formula()
        if self.sees("="):
            if not (isinstance(tree, Name) and tree.id == asked):
                left = tree.id if isinstance(tree, Name) else "a formula"
                raise self.error(f"left of '=' expected {asked or 'nothing'}, got {left}", self.tokens[0])
            self.at += 1
            tree = self.formula()
        token = self.tokens[self.at]
        if token.kind != "end":
            raise self.error(f"expected an operator or the end, found '{self.typed(token)}'")
        self.check(tree)
        return tree

    def check(self, tree: Tree) -> None:
        """The limits of values: only powers, divisions and long numerals can go beyond them, so others cost nothing."""
        if any(token.text in ("^", "/", "frac") or len(token.text) > 15 for token in self.tokens):
            beyond = excess(tree)
            if beyond is not None:
                raise FormulaError(beyond.message, self.text, 0)

    def formula(self) -> Tree:
        terms = [self.signed(self.term)]
        while self.sees("+") or self.sees("-"):
            minus = self.tokens[self.at].text == "-"
            self.at += 1
            term = self.signed(self.term)
            terms.append(Negative(term) if minus else term)
        return terms[0] if len(terms) == 1 else Sum(tuple(terms))

    def signed(self, read: Callable[[], Tree]) -> Tree:
        """What `read` reads, after any signs."""
        if not (self.sees("-") or self.sees("+")):
            return read()
        minus = self.tokens[self.at].text == "-"
        self.at += 1
        self.deeper()
        body = self.signed(read)
        self.depth -= 1
        return Negative(body) if minus else body

    def term(self) -> Tree:
        factors = [self.factor()]
        divided: Tree | None = None  # the divisor just read, if what follows may belong to it
        while True:
            token = self.tokens[self.at]
            if token.kind == "operator" and token.text in "*/":
                self.at += 1
                factor = self.signed(self.factor)
                divided = None
                if token.text == "*":
                    factors.append(factor)
                else:
                    top = factors[0] if len(factors) == 1 else Product(tuple(factors))
                    plain = isinstance(top, Number) and isinstance(factor, Number)
                    factors, divided = [Quotient(top, factor)], None if plain and self.opens() else factor
            elif self.starts(token):
                if divided is not None:
                    raise self.error("what is divided by? write * or parentheses after the divisor")
                if token.kind == "number" and not isinstance(factors[-1], Number | Quotient):
                    raise self.error(f"expected an operator before the number '{self.typed(token)}'")
                if token.kind == "number":
                    raise self.error("two numbers side by side; write * between them")
                factors.append(self.factor())
            else:
                return factors[0] if len(factors) == 1 else Product(tuple(factors))

    def factor(self) -> Tree:
        token = self.tokens[self.at]
        base = self.primary()
        if not self.sees("^"):
            return base
        self.at += 1
        exponent = self.exponent()
        if self.sees("^"):
            raise self.error("a power of a power; write parentheses")
        return Call("exp", (exponent,)) if token.kind == "constant" and token.text == "e" else Power(base, exponent)

    def exponent(self) -> Tree:
        token = self.tokens[self.at]
        if token.kind == "number" and "\\" in self.text and len(token.text) > 1:
            raise self.error(f"an exponent of several digits; write ^{{{token.text}}}")
        return self.signed(self.primary)

    def primary(self) -> Tree:
        token = self.tokens[self.at]
        self.at += 1
        if token.kind == "name":
            return Name(token.text)
        if token.kind == "number":
            return Number(token.text)
        if token.kind == "function":
            return self.call(token)
        if token.kind == "constant":
            return Call("exp", (ONE,)) if token.text == "e" else Call("pi", ())
        if token.kind == "operator":
            if token.text in ("(", "[", "{") or (token.text == "|" and not self.bars):
                return self.fenced(token)
            if token.text == "frac":
                top = self.group()
                return Quotient(top, self.group())
            if token.text in ("sqrt", "√"):
                return Call("sqrt", (self.group(),))
        self.at -= 1
        found = "the end" if token.kind == "end" else f"'{self.typed(token)}'"
        raise self.error(f"expected a value, found {found}")

    def fenced(self, token: Token) -> Tree:
        self.deeper()
        self.bars += token.text == "|"
        body = self.formula()
        self.bars -= token.text == "|"
        self.close(_OPENING[token.text])
        self.depth -= 1
        return Call("abs", (body,)) if token.text == "|" else body

    def group(self) -> Tree:
        """What stands in braces or parentheses after a sign of its own; as in TeX, a digit or a name stands alone."""
        token = self.tokens[self.at]
        if token.kind == "number" and token.text.isdigit():  # \frac12 is one half
            if len(token.text) > 1:
                self.tokens[self.at] = Token("number", token.text[1:], token.position + 1)
            else:
                self.at += 1
            return Number(token.text[0])
        if token.kind == "name":
            self.at += 1
            return Name(token.text)
        if not (self.sees("{") or self.sees("(")):
            raise self.error(f"expected '{{', found '{self.typed(token)}'")
        self.at += 1
        return self.fenced(token)

    def call(self, token: Token) -> Tree:
        """`\\tanh^2(z)`, `\\sigma'(z)`, `max(a, b)`; a command may take one name without parentheses."""
        name, primes, power = token.text, 0, None
        while self.sees("'"):
            self.at, primes = self.at + 1, primes + 1
        if self.sees("^"):
            self.at += 1
            power = self.exponent()
            if power == Negative(ONE):
                raise self.error("'^-1' at a function may be its inverse or a reciprocal; write it out", token)
        arguments = self.arguments(token)
        if not FUNCTIONS[name].takes(len(arguments)):
            raise self.error(f"'{name}' takes {FUNCTIONS[name].arity}, found {len(arguments)}", token)
        tree: Tree = Call(name, arguments)
        if primes:
            tree = self.derivative(name, primes, arguments[0], token)
        return tree if power is None else Power(tree, power)

    def arguments(self, token: Token) -> tuple[Tree, ...]:
        opening = self.tokens[self.at]
        if opening.kind == "operator" and opening.text in ("(", "[", "{"):
            self.deeper()
            self.at += 1
            found = [self.formula()]
            while self.sees(","):
                self.at += 1
                found.append(self.formula())
            self.close(_OPENING[opening.text])
            self.depth -= 1
            return tuple(found)
        if self.text[token.position] == "\\" and opening.kind in ("name", "number"):
            found_one = self.factor()
            following = self.tokens[self.at]
            if self.starts(following):
                raise self.error(f"where does the argument of '{token.text}' end? write parentheses", following)
            return (found_one,)
        raise self.error(f"expected '(' after '{self.typed(token)}', found '{self.typed(opening)}'")

    def derivative(self, name: str, primes: int, z: Tree, token: Token) -> Tree:
        """sigma'(z) = sigma(z)(1 - sigma(z)), tanh'(z) = 1 - tanh(z)^2, relu'(z) = 1 where z > 0"""
        value = Call(name, (z,))
        known: dict[str, Tree] = {
            "sigmoid": Product((value, Sum((ONE, Negative(value))))),
            "tanh": Sum((ONE, Negative(Power(value, Number("2"))))),
            "relu": Cases(((Compare(">", z, Number("0")), ONE),), Number("0")),
            "exp": value,
            "softplus": Call("sigmoid", (z,)),
        }
        if primes > 1 or name not in known:
            raise self.error(f"a derivative of '{name}' that is not known; write it out", token)
        return known[name]

    # Tokens.

    def sees(self, operator: str) -> bool:
        token = self.tokens[self.at]
        return token.text == operator and token.kind == "operator"

    def opens(self) -> bool:
        return self.sees("(") or self.sees("[") or self.sees("{")

    def starts(self, token: Token) -> bool:
        """Could a factor begin here?"""
        if token.kind in _STARTS:
            return True
        if token.kind != "operator":
            return False
        return token.text in ("(", "[", "{", "frac", "sqrt", "√") or (token.text == "|" and not self.bars)

    def close(self, fence: str) -> None:
        token = self.tokens[self.at]
        if not self.sees(fence):
            found = "the end" if token.kind == "end" else f"'{self.typed(token)}'"
            raise self.error(f"expected '{fence}', found {found}")
        self.at += 1

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"a formula nested more than {MAX_DEPTH} deep")

    def typed(self, token: Token) -> str:
        following = self.tokens[min(self.tokens.index(token) + 1, len(self.tokens) - 1)]
        return self.text[token.position : following.position].strip() or token.text

    def error(self, message: str, token: Token | None = None) -> FormulaError:
        return FormulaError(message, self.text, (token or self.tokens[self.at]).position)
