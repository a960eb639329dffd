"""A training run as a page of its own: why it ended, the loss and what else was measured, the curve."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from derive.numeric.rounding import Style, Value, show
from derive.numeric.training.loop import Record, few
from derive.solution.diagram import Curve
from derive.solution.document import Argument, Block, Cell, Document, Figure, Message, Paragraph, Table
from derive.solution.figures.loss import LOSS_AXES
from derive.solution.layout import Digits, Identifier, Layout, Words


@dataclass(frozen=True)
class Run:
    """What is reported. `ended` is done, loss, plateau, interrupted or diverged."""

    title: str
    language: str
    loss: str  # its id
    steps: int
    epochs: int
    ended: str
    history: tuple[Record, ...]


def run_report(run: Run) -> Document:
    """The page, without any format's markup."""
    return Document(run.title, run.language, tuple(_blocks(run)))


def _blocks(run: Run) -> Iterator[Block]:
    said: dict[str, Argument] = {"steps": run.steps, "epochs": run.epochs, "ended": run.ended}
    yield Paragraph(Message("run_ended", said))
    if not run.history:
        return
    columns = _columns(run.history)
    rows = tuple(tuple(write(record) for _, write in columns) for record in few(run.history))
    yield Table(tuple(header for header, _ in columns), rows, frozenset(range(len(columns))), "history")
    if len(run.history) > 1:
        yield _curve(run)


Column = tuple[Message, Callable[[Record], Cell]]


def _columns(history: Sequence[Record]) -> list[Column]:
    """Those that the run measured."""
    last = history[-1]
    columns: list[Column] = [
        (Message("steps"), lambda record: Digits(str(record.step))),
        (Message("run_epochs"), lambda record: Digits(str(record.epoch))),
        (Message("run_loss"), lambda record: _number(record.loss)),
    ]
    if last.accuracy is not None:
        columns.append((Message("run_accuracy"), lambda record: _percent(record.accuracy)))
    if last.held_out_loss is not None:
        columns.append((Message("run_held_out_loss"), lambda record: _number(record.held_out_loss)))
    if last.held_out_accuracy is not None:
        columns.append((Message("run_held_out_accuracy"), lambda record: _percent(record.held_out_accuracy)))
    return columns


def _number(value: float | None) -> Cell:
    return "" if value is None else Digits(show(Value(value), Style(None, 6)).text)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _curve(run: Run) -> Figure:
    points = tuple((float(record.step), record.loss) for record in run.history)
    loss = _name(run.loss)
    said: dict[str, Argument] = {
        "loss": loss,
        "steps": run.history[-1].step,
        "first": _number(points[0][1]),
        "last": _number(points[-1][1]),
        "falls": points[-1][1] < points[0][1],
    }
    curve = Curve(points, Words(""), loss)
    return Figure(curve, Message("caption_loss", {"loss": loss}), Message("describe_loss", said), "loss", LOSS_AXES)


def _name(id_: str) -> Layout:
    base, _, below = id_.partition("_")
    return Identifier(base, Words(below)) if below else Identifier(base)
