"""The page: what is said in which order. Each section is a generator of blocks in a file of its own.

given -> forward -> lemmas -> backward (worked parameters, then the rest as a table) -> update -> training
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from derive.calculus.chain import Derivation
from derive.network.write_out import Neurons
from derive.numeric.entrywise import EntryFormulas, Entrywise
from derive.numeric.evaluate import Evaluation
from derive.numeric.rounding import style_of
from derive.numeric.train import TrainingRun
from derive.numeric.worked import LocalPartials, Worked
from derive.problem.choices import ARRAY_NOTATIONS
from derive.problem.model import DocumentOptions, Problem
from derive.solution.arrays.compose import array_page
from derive.solution.arrays.large import large_page
from derive.solution.arrays.sheet import Sheet
from derive.solution.backward import Backward
from derive.solution.check import gradient_check
from derive.solution.circuit import circuit_backward, circuit_forward, circuit_table
from derive.solution.delta import in_delta_form
from derive.solution.descent import array_results, descent_section
from derive.solution.document import Block, Document, Figure, Heading, Message, Paragraph
from derive.solution.figures.kinds import figures_of
from derive.solution.figures.path import is_hidden
from derive.solution.forward import forward_pass
from derive.solution.given import introduction
from derive.solution.large import is_large
from derive.solution.later_steps import later_steps
from derive.solution.lemmas import lemmas
from derive.solution.linear_collapse import linear_collapse
from derive.solution.local import Known
from derive.solution.matrices import matrix_update
from derive.solution.matrix_backward import matrix_backward
from derive.solution.matrix_forward import matrix_forward, softmax_at_once
from derive.solution.notations import NOTATIONS, Names
from derive.solution.page import Page, head, note, say
from derive.solution.samples import over_all_samples_gradient
from derive.solution.softmax import collapsed_gradients
from derive.solution.step_letters import is_apart
from derive.solution.training import training_section
from derive.solution.typeset import Typesetter
from derive.solution.update import after_update, is_trained, likewise, moved, sensitivities, trained, update


def compose(
    derivation: Derivation,
    neurons: Neurons,
    evaluation: Evaluation | None,
    run: TrainingRun | None,
    options: DocumentOptions,
    further: Sequence[Evaluation] = (),
) -> Document:
    """The document of one problem; `further` are the program's numbers at the steps after the first."""
    problem = derivation.graph.problem
    if problem.stack:
        sheet = sheet_of(derivation, neurons, evaluation, options)
        return Document(title_of(problem), options.language, tuple(array_page(sheet, further, run)))
    page = page_of(derivation, neurons, evaluation, options)
    sections = _network if derivation.graph.layers else _circuit
    return Document(title_of(problem), options.language, tuple(sections(page, evaluation, run, further)))


def join(problem: Problem, documents: Sequence[Document]) -> Document:
    """Several pages under one title: each part's title becomes a section, its sections go one level down.

    What every part would say alike (how numbers are rounded, an activation's derivative) is said once.
    """
    blocks: list[Block] = []
    said: set[str] = set()
    for number, document in enumerate(documents, start=1):
        blocks.append(Heading(2, Message("part_title", {"title": document.title})))
        for section in _sections(document.blocks):
            blocks.extend(_of_part(block, number) for block in _unsaid(section, said))
    return Document(title_of(problem), problem.document.language, tuple(blocks))


def _sections(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """The blocks from each heading to the next."""
    section: list[Block] = []
    for block in blocks:
        if isinstance(block, Heading) and section:
            yield section
            section = []
        section.append(block)
    yield section


def _unsaid(section: list[Block], said: set[str]) -> list[Block]:
    """A section without what stands before: the opening sentence, or a lemma that is the same to the letter."""
    first = section[0]
    if isinstance(first, Heading) and first.message.key == "head_lemma_activation":
        if repr(section) in said:
            return [first, say("as_before")]
        said.add(repr(section))
    opening = isinstance(first, Paragraph) and first.message.key.startswith("document_")
    if opening and repr(first) in said:
        return section[1:]
    said.add(repr(first))
    return section


def _of_part(block: Block, number: int) -> Block:
    """Headings one level down, figures by names of their own."""
    if isinstance(block, Figure):
        return replace(block, id=f"{block.id}-{number}")
    return replace(block, level=block.level + 1) if isinstance(block, Heading) else block


def title_of(problem: Problem) -> str:
    """The problem's title in the page's language, or in whichever it has."""
    return problem.title.get(problem.document.language) or next(iter(problem.title.values()), "")


def page_of(derivation: Derivation, neurons: Neurons, evaluation: Evaluation | None, options: DocumentOptions) -> Page:
    """The surroundings of a composition."""
    style = style_of(options)
    names = Names(derivation.graph, NOTATIONS[options.notation])
    typeset = Typesetter(names, names.element, names.notation.tight)
    at_once = names.notation.arrays and bool(derivation.graph.layers)
    shortcuts = collapsed_gradients(derivation.graph)
    worked = None
    if evaluation is not None:
        worked = Worked(
            derivation,
            neurons,
            evaluation,
            style,
            sums_at_once=at_once,
            shortcuts=shortcuts,
            at_once=softmax_at_once(neurons) if at_once else None,
        )
    local = worked.local if worked is not None else LocalPartials(derivation, neurons)
    return Page(
        derivation,
        neurons,
        worked,
        local,
        options,
        style,
        names,
        typeset,
        evaluation,
        _telling_sample(worked),
    )


def any_page(derivation: Derivation, neurons: Neurons, evaluation: Evaluation | None, options: DocumentOptions) -> Page:
    """What a figure is drawn from, of a problem of any kind."""
    if derivation.graph.problem.stack:
        return sheet_of(derivation, neurons, evaluation, options).page
    return page_of(derivation, neurons, evaluation, options)


def sheet_of(
    derivation: Derivation, neurons: Neurons, evaluation: Evaluation | None, options: DocumentOptions
) -> Sheet:
    """The surroundings of the page of a network of any layers."""
    style = style_of(options)
    names = Names(derivation.graph, NOTATIONS[options.notation])
    typeset = Typesetter(names, names.element, False)
    local = LocalPartials(derivation, neurons)
    page = Page(derivation, neurons, None, local, options, style, names, typeset, evaluation)
    formulas = EntryFormulas(derivation, neurons, evaluation.start.values if evaluation is not None else {})
    if evaluation is None:
        return Sheet(page, formulas, None)
    entries = Entrywise(formulas, evaluation, style)
    return Sheet(page.with_(of_arrays=entries.descent), formulas, entries)


def sheet_in_letters(page: Page) -> Sheet:
    """The surroundings of the formulas of whole arrays on the page of a network of dense layers."""
    names = page.names if page.options.notation in ARRAY_NOTATIONS else Names(page.graph, NOTATIONS["index"])
    return Sheet(page.with_(names=names), EntryFormulas(page.derivation, page.neurons, {}), None)


def _telling_sample(worked: Worked | None) -> int:
    """The sample to work in full: the first that pulls at most parameters, since a page of zeros teaches nothing."""
    if worked is None or worked.root == worked.graph.loss:
        return 0
    ids = [id_ for array in worked.graph.parameters for id_ in worked.graph.arrays[array].ids.values()]
    pulls = [sum(worked.gradient(id_, at).number != 0 for id_ in ids) for at in worked.samples]
    return pulls.index(max(pulls))


def _circuit(
    page: Page, evaluation: Evaluation | None, run: TrainingRun | None, further: Sequence[Evaluation]
) -> Iterator[Block]:
    yield from introduction(page)
    yield from circuit_forward(page)
    yield from circuit_backward(page)
    yield from circuit_table(page)
    yield from gradient_check(page, tuple(page.graph.problem.inputs))
    if trained(page) and page.graph.problem.optimizer is not None:
        yield head(2, "matrix_update")
        if is_apart(page):
            yield from descent_section(page, trained(page), ())
        else:
            for id_ in trained(page):
                yield from update(page, id_)
        yield from _afterwards(page, evaluation, trained(page), further)
    if run is not None:
        yield from training_section(page, run)


def _network(
    page: Page, evaluation: Evaluation | None, run: TrainingRun | None, further: Sequence[Evaluation]
) -> Iterator[Block]:
    yield from introduction(page)
    if is_large(page):
        yield from large_page(sheet_in_letters(page))
        yield from _chosen(page)
        if run is not None:
            yield from training_section(page, run)
        return
    by_layer = page.names.notation.arrays
    yield from matrix_forward(page) if by_layer else forward_pass(page)
    if not page.graph.loss:
        return
    if page.graph.forward_only:
        yield note("forward_only")
        return
    yield head(2, "backward_pass")
    known = Known()
    yield from lemmas(page, known)
    if by_layer:
        yield from matrix_backward(page, known)
    yield from _parameters(page, known)
    if page.options.gradient_check:
        yield from gradient_check(page, trained(page))
    yield from sensitivities(page, trained(page))
    yield from linear_collapse(page)
    if is_apart(page):
        yield head(2, "matrix_update")
        yield from _apart(page)
    yield from _afterwards(page, evaluation, _line_by_line(page), further)
    if run is not None:
        yield from training_section(page, run)


def _apart(page: Page) -> Iterator[Block]:
    """The updates by a rule of several lines, after all gradients."""
    ids = _line_by_line(page)
    if page.names.notation.arrays:
        yield from descent_section(page, ids, ())
        yield from array_results(page)
    else:
        yield from descent_section(page, ids, [id_ for id_ in trained(page) if id_ not in ids])


def _line_by_line(page: Page) -> tuple[str, ...]:
    """The parameters whose update is worked line by line; of a page of matrices the first entry of all."""
    ids = tuple(id_ for id_ in worked_parameters(page) if id_ in page.graph.place_of and is_trained(page, id_))
    return ids if ids or not page.names.notation.arrays else trained(page)[:1]


def _afterwards(
    page: Page, evaluation: Evaluation | None, ids: Sequence[str], further: Sequence[Evaluation]
) -> Iterator[Block]:
    """The forward pass at the updated parameters, where there are any, and the steps after the first."""
    if page.worked is not None and evaluation is not None and evaluation.after:
        yield from after_update(page, moved(page))
        yield from later_steps(page, ids, further)


def _parameters(page: Page, known: Known) -> Iterator[Block]:
    """The parameters worked in full, each layer's others after its last one; in matrix notation all by array."""
    worked_ids = worked_parameters(page)
    by_array = page.names.notation.arrays
    left = [id_ for id_ in trained(page) if id_ not in worked_ids]
    if worked_ids:
        yield say("backward_intro", loss=page.names(page.graph.loss))
    for at, id_ in enumerate(worked_ids):
        yield head(3, "worked_parameter", quantity=page.names(id_))
        if id_ == next(filter(partial(is_hidden, page), worked_ids), None):
            yield from figures_of(page, None, "path", id_)
        yield from Backward(page, known).parameter(id_)
        yield from in_delta_form(page, id_, known)
        yield from over_all_samples_gradient(page, id_)
        if not is_apart(page):
            yield from update(page, id_)
        layer = page.neurons.array(id_).layer
        last_of_layer = all(page.neurons.array(other).layer != layer for other in worked_ids[at + 1 :])
        others = [other for other in left if page.neurons.array(other).layer == layer]
        if last_of_layer and others and not by_array:
            yield from likewise(page, others, known, layer)
            left = [other for other in left if other not in others]
    if by_array and left:
        yield from () if is_apart(page) else matrix_update(page)
    elif left:
        yield head(3, "the_rest")
        yield from likewise(page, left, known)
    if page.graph.samples > 1:
        yield note("minibatch_note")


def _chosen(page: Page) -> Iterator[Block]:
    """In a network too large to write out, only what was asked for by name."""
    known = Known()
    for id_ in page.options.worked or ():
        yield head(3, "worked_parameter", quantity=page.names(id_))
        yield from Backward(page, known).parameter(id_)
        yield from update(page, id_)


def worked_parameters(page: Page) -> tuple[str, ...]:
    """The quantities worked in full: as asked, else by the level of detail."""
    if page.options.worked is not None:
        return page.options.worked
    if page.names.notation.arrays:
        return ()
    layers = [view for view in reversed(page.graph.layers) if view.weights]
    firsts = [next(iter(page.graph.arrays[view.weights[0]].ids.values())) for view in layers]
    firsts = [id_ for id_ in firsts if is_trained(page, id_)]
    if page.options.detail == "brief":
        return tuple(firsts[:1])
    if page.options.detail == "full":
        return tuple(
            id_
            for view in layers
            for array in (*view.weights, *view.biases)
            if array in page.graph.trainable
            for id_ in page.graph.arrays[array].ids.values()
        )
    return tuple(firsts)
