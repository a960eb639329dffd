"""Numbers as figures show them: as the page does, but with fewer digits where they are long."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from derive.numeric.rounding import Style, Value, show
from derive.solution.layout import Digits
from derive.solution.page import Page

MOST_DIGITS = 4  # significant ones
_STYLE = Style(None, MOST_DIGITS)


@dataclass
class Brief:
    """Writes the numbers of one figure, and remembers whether any had fewer digits than on the page."""

    page: Page
    shorter: bool = False

    def shown(self, value: Value) -> Digits:
        """A number with at most four significant digits, whole ones with all theirs."""
        text = show(value, self.page.style).text
        if len(Decimal(text).as_tuple().digits) > MOST_DIGITS:
            short = show(replace(value, text=None), _STYLE).text
            self.shorter = self.shorter or Decimal(short) != Decimal(text)
            text = short
        return Digits(text)

    @property
    def said(self) -> dict[str, int]:
        """What a caption says of it: how many digits, 0 where they are the page's."""
        return {"digits": MOST_DIGITS if self.shorter else 0}
