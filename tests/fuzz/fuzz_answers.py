"""Texts made by atheris, guided by what the reader's code does with them: read or refused, in little time.

    python tests/fuzz/fuzz_answers.py [SECONDS]

Needs `pip install -e '.[test]'`. Prints how many texts were tried; a text that breaks the reader is printed and left in
the working folder as crash-*.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import atheris

with atheris.instrument_imports(include=["derive.formula", "derive.homework.numbers"]):
    from derive.errors import FormulaError
    from derive.formula.answer_tokens import Names
    from derive.formula.answers import read_formula
    from derive.formula.evaluate import evaluate
    from derive.homework.numbers import NotANumberError, read_number

VALUES = {"net_h1": 0.3, "out_h1": 0.6, "out_o1": 0.75, "target_o1": 0.01, "w5": 0.4, "eta": 0.5, "dE_total/dw5": 0.08}
NAMES = Names.of([*((id_, id_) for id_ in VALUES), ("o_1", "out_o1"), ("t_1", "target_o1"), ("a^{(1)}_1", "out_h1")])
PIECES = (
    "o_1", "t_1", "w_5", "net_{h1}", "a^{(1)}_1", r"\frac{", r"\sqrt{", r"\sigma", r"\tanh^2", r"\cdot ", "e^{-", "'", "|",
    "(", ")", "{", "}", "[", "]", "+", "-", "*", "/", "^", "**", "=", ",", "1", "0.5", "2e9", "9", r"\partial ", "E", "x²",
    r"\left(", r"\right)", "max(", "log", "ReLU(", "≈", "−", "%", " (3 s.f.)", "×10^", "\x00", "\u202e", "о", " ", "d",
)  # fmt: skip
SLOWEST = 1.0  # seconds of processor time for one text, instrumented


def text_of(data: bytes) -> str:
    """Bytes as pieces of formulas, or, where the first is odd, as they are."""
    if data[:1] and data[0] % 2:
        return data[1:].decode("utf-8", errors="replace")
    return "".join(PIECES[byte % len(PIECES)] for byte in data[1:])


def try_one(data: bytes) -> None:
    """Raises for whatever is neither read nor refused with a place within the text."""
    text = text_of(data)
    begin = time.process_time()
    try:
        assert evaluate(read_formula(text, NAMES, "w5"), VALUES) is not None
    except FormulaError as error:
        if not 0 <= error.position <= len(text):
            raise
    try:
        read = read_number(text)
        assert read.interval().low <= read.value <= read.interval().high, text
    except NotANumberError:
        pass
    spent = time.process_time() - begin
    assert spent < SLOWEST, (spent, text)


def main(arguments: list[str]) -> None:
    seconds = int(arguments[1]) if len(arguments) > 1 else 60
    options: list[Any] = [arguments[0], f"-max_total_time={seconds}", "-max_len=300", "-seed=1", "-verbosity=0"]
    options.append("-print_final_stats=1")
    atheris.Setup(options, try_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
