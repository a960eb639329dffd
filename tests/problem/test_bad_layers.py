"""Layers, arrays and targets that do not fit: for each, every word of what a person is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from derive.problem.layer_types import LAYER_TYPES

Complaints = Callable[[str | bytes], str]

TYPES = ", ".join(("dense", "define", *LAYER_TYPES))
IMAGE = "inputs: {image: [[1, 0, 2], [0, 1, 1], [2, 1, 0]]}\nloss: none\nlayers:\n  - "
SEQUENCE = "inputs: {sequence: [[1, 0], [0, 1], [2, 1]]}\nloss: none\nlayers:\n  - "

LAYERS: dict[str, tuple[str, str]] = {  # the first layer is on line 4
    "a window that is too large": (
        IMAGE + "{convolution: 2, size: 5}",
        "4: layers[0].size: expected a window of at most 3, got 5",
    ),
    "a filter too few": (
        IMAGE + "{convolution: 2, size: 2, weights: [[1, 2], [3, 4]]}",
        "4: layers[0].weights: expected 2 x 1 x 2 x 2 numbers (2 filters, 1 channel, 2 rows, 2 columns), got 2 x 2",
    ),
    "a row that is too short": (
        IMAGE + "{convolution: 1, size: 2, weights: [[1, 2], [3]]}",
        "4: layers[0].weights[1]: expected a list of 2, as weights[0] is, got a list of 1",
    ),
    "a bias too many": (
        IMAGE + "{convolution: 1, bias: [1, 2]}",
        "4: layers[0].bias: expected 1 number (one per filter), got a list of 2",
    ),
    "a word for a number of filters": (
        IMAGE + "{convolution: two}",
        "4: layers[0].convolution: expected a whole number from 1 to 10000, got 'two'",
    ),
    "a filter along a line that is too short": (
        "inputs: {series: [1, 2, 3]}\nloss: none\nlayers:\n  - {convolution: 2, weights: [[1, 2], [3, 4]]}",
        "4: layers[0].weights: expected 2 x 1 x 3 numbers (2 filters, 1 channel, 3 places), got 2 x 2",
    ),
    "no number of units": (IMAGE + "{dense: }", "4: layers[0].dense: 'dense' needs a value: the number of units"),
    "no number of filters": (
        IMAGE + "{convolution: }",
        "4: layers[0].convolution: 'convolution' needs a value: the number of filters",
    ),
    "a bare word that needs a value": (IMAGE + "lstm", "4: layers[0]: 'lstm' needs a value: the number of units"),
    "a word that is no layer": (
        IMAGE + "flaten",
        f"4: layers[0]: unknown layer 'flaten'; expected one of {TYPES}; did you mean 'flatten'?",
    ),
    "a map without a type": (
        IMAGE + "{convolutoin: 2, size: 2}",
        f"4: layers[0]: expected a layer: a map with one of the keys {TYPES}, got 'convolutoin', 'size'; did you mean "
        "'convolution'?",
    ),
    "a key that the type does not have": (
        IMAGE + "{convolution: 2, stide: 1}",
        "4: layers[0].stide: unknown key 'stide'; expected convolution, size, stride, padding, weights, bias, "
        "activation, name, trainable; did you mean 'stride'?",
    ),
    "a layer of two types": (
        IMAGE + "{convolution: 2, dense: 1}",
        "4: layers[0].dense: a layer is of one type, got convolution and dense",
    ),
    "a dense layer on an image": (
        IMAGE + "{dense: 2}",
        "4: layers[0]: dense reads a vector or a sequence, got an image of 1 x 3 x 3 (channels, rows, columns); put "
        "`flatten` before it",
    ),
    "a recurrent layer on an image": (
        IMAGE + "{rnn: 2}",
        "4: layers[0]: rnn reads a sequence, got an image of 1 x 3 x 3 (channels, rows, columns)",
    ),
    "an activation of several numbers": (
        IMAGE + "{convolution: 2, activation: softmax}",
        "4: layers[0].activation: expected a function of one number; softmax looks at several, only a dense layer can "
        "have it",
    ),
    "three sizes of a window": (
        IMAGE + "{convolution: 2, size: [2, 2, 2]}",
        "4: layers[0].size: expected one number or two (rows, columns), got 3",
    ),
    "a value where none is": (IMAGE + "{flatten: 3}", "4: layers[0].flatten: expected nothing after it, got '3'"),
    "a residual to no layer": (
        IMAGE + "{convolution: 1, name: first}\n  - {add: frst}",
        "5: layers[1].add: unknown layer before this one 'frst'; expected one of inputs, first; did you mean 'first'?",
    ),
    "a residual of another shape": (
        IMAGE + "{convolution: 1}\n  - {add: inputs}",
        "5: layers[1].add: expected the shape that this layer reads, an image of 1 x 1 x 1 (channels, rows, columns); "
        "'inputs' is an image of 1 x 3 x 3 (channels, rows, columns)",
    ),
    "shares beyond one": (
        IMAGE + "{batch-normalization: , momentum: 2, epsilon: -1}",
        "4: layers[0].momentum: expected a number below 1, got '2'\n"
        "4: layers[0].epsilon: expected a number of at least 0, got '-1'",
    ),
    "heads that do not divide": (
        SEQUENCE + "{attention: 3}",
        "4: layers[0].size: needs a number: the input's size, 2, is no multiple of 3 heads",
    ),
    "a gate missing": (
        SEQUENCE + "{lstm: 1, input-weights: {i: [1, 2], f: [1, 2], o: [1, 2]}}",
        "4: layers[0].input-weights: the key 'g' is missing",
    ),
    "a gate that does not exist": (
        SEQUENCE + "{gru: 1, bias: {r: 1, z: 2, n: 3}}",
        "4: layers[0].bias.n: unknown key 'n'; expected r, z",
    ),
    "an unknown choice": (
        SEQUENCE + "{rnn: 2, outputs: first}",
        "4: layers[0].outputs: unknown 'first'; expected one of every, last",
    ),
    "an unknown trainable": (
        SEQUENCE + "{rnn: 2, trainable: [weights]}",
        "4: layers[0].trainable[0]: unknown 'weights'; expected one of input-weights, recurrent-weights, bias, initial; "
        "did you mean 'input-weights'?",
    ),
    "an initial state of another size": (
        SEQUENCE + "{rnn: 2, initial: [1, 2, 3]}",
        "4: layers[0].initial: expected 2 numbers (one per unit), got a list of 3",
    ),
    "a bias of the other convention": (
        SEQUENCE + "{gru: 2, recurrent-bias: [1, 2]}",
        "4: layers[0].recurrent-bias: is not used by gru with these options; it has input-weights, recurrent-weights, "
        "candidate-input-weights, candidate-recurrent-weights, bias, candidate-bias",
    ),
    "a share of all": (SEQUENCE + "{dropout: 1}", "4: layers[0].dropout: expected a number below 1, got '1'"),
    "a mask of other numbers": (
        SEQUENCE + "{dropout: 0.5, mask: [[1, 0], [1, 0.5], [1, 1]]}",
        "4: layers[0].mask: expected zeros and ones, got 0.5",
    ),
    "a mask of another shape": (
        SEQUENCE + "{dropout: 0.5, mask: [1, 0]}",
        "4: layers[0].mask: expected 1 x 3 x 2 numbers (1 sample, 3 steps, 2 numbers), got a list of 2",
    ),
    "a mask and a seed": (
        SEQUENCE + "{dropout: 0.5, mask: [[1, 0], [1, 1], [1, 1]], seed: 2}",
        "4: layers[0].mask: expected mask or seed, got both (layers[0].seed, line 4)",
    ),
    "two layers of one name": (
        SEQUENCE + "{rnn: 2, name: h}\n  - {rnn: 2, name: h}",
        "5: layers[1].name: the name 'h' is already that of another layer (layers[0].name, line 4)",
    ),
    "a layer called as the inputs": (
        SEQUENCE + "{rnn: 2, name: inputs}",
        "4: layers[0].name: the name 'inputs' is what `add` calls the network's inputs; choose another",
    ),
    "rows on a sequence": (
        SEQUENCE + "{embedding: 2}",
        "4: layers[0]: embedding reads tokens, got a sequence of 3 x 2 (steps, size)",
    ),
    "an array that is too large": (
        IMAGE + "{convolution: 10000, padding: 100}",
        "4: layers[0]: an array of more than 1,000,000 numbers",
    ),
    "a quantity worked that does not exist": (
        SEQUENCE + "{rnn: 1, name: h}\ndocument: {worked: [W_1, V]}",
        "5: document.worked: unknown parameter or quantity 'V'; expected one of W_1, W_2, U",
    ),
}


@pytest.mark.parametrize("sentence", LAYERS)
def test_a_layer_that_does_not_fit_is_told_in_full(sentence: str, complaints: Complaints) -> None:
    text, message = LAYERS[sentence]
    assert complaints(text + "\n") == "\n".join(f"problem.yaml:{line}" for line in message.splitlines())


FLAT = "layers: [flatten]\nloss: none\n"
TWO = "inputs: {image: [[1, 2]]}\nlayers: [flatten, {dense: 2}]\n"
UNNAMED = "inputs: {image: [[1, 2]]}\nlayers: [flatten]\n"

SIGNALS: dict[str, tuple[str, str]] = {
    "rows of two lengths": (
        "inputs: {image: [[1, 2], [3]]}\n" + FLAT,
        "1: inputs.image[1]: expected a list of 2, as image[0] is, got a list of 1",
    ),
    "an image of one row": (
        "inputs: {image: [1, 2]}\n" + FLAT,
        "1: inputs.image: expected rows of numbers, or such rows for each channel, got a list of 2",
    ),
    "lists in the list of an input": (
        "inputs: {picture: [[1, 2]]}\n" + FLAT,
        "1: inputs.picture: expected a number or a list of numbers, got lists in a list; what is an array has one of the "
        "keys image, series, sequence, tokens",
    ),
    "several sequences at once": (
        "inputs: {sequence: [[[1], [2]]]}\n" + FLAT,
        "1: inputs.sequence: expected one row of numbers per step, got 1 x 2 x 1; several samples go under `samples`",
    ),
    "one word": (
        "inputs: {tokens: the, vocabulary: [the]}\nlayers: [{embedding: 2}]\nloss: none\n",
        "1: inputs.tokens: expected a list of words, got one word",
    ),
    "samples of two shapes": (
        "inputs: {image: {samples: [[[1, 2]], [[1]]]}}\n" + FLAT,
        "1: inputs.image.samples[1]: expected 1 x 1 x 2, as the first sample, got 1 x 1 x 1",
    ),
    "too few sizes": (
        "inputs: {image: {shape: [2]}}\n" + FLAT,
        "1: inputs.image.shape: expected the sizes of image (channels, rows, columns), got 1",
    ),
    "too many numbers": (
        "inputs: {image: {shape: [1000, 2000]}}\n" + FLAT,
        "1: inputs.image.shape: expected at most 1,000,000 numbers, got 2,000,000",
    ),
    "neither numbers nor a shape": (
        "inputs: {image: {}}\n" + FLAT,
        "1: inputs.image: expected numbers, {samples: ...} or {shape: ...}",
    ),
    "a word in an image": (
        "inputs: {image: [[1, a]]}\n" + FLAT,
        "1: inputs.image[0][1]: expected a number, got 'a'",
    ),
    "an image beside another input": (
        "inputs: {image: [[1, 2]], y: 3}\n" + FLAT,
        "1: inputs.y: unknown key 'y'; expected image",
    ),
    "a word outside the vocabulary": (
        "inputs: {tokens: [the, cta], vocabulary: [the, cat]}\nlayers: [{embedding: 2}]\nloss: none\n",
        "1: inputs.tokens[1]: unknown word 'cta'; expected one of the, cat; did you mean 'cat'?",
    ),
    "a number outside the vocabulary": (
        "inputs: {tokens: [1, 7], vocabulary: 5}\nlayers: [{embedding: 2}]\nloss: none\n",
        "1: inputs.tokens[1]: expected a whole number from 0 to 4 (5 words), got '7'",
    ),
    "a word twice": (
        "inputs: {tokens: [a], vocabulary: [a, b, a]}\nlayers: [{embedding: 2}]\nloss: none\n",
        "1: inputs.vocabulary[2]: 'a' is given twice",
    ),
    "numbers without a vocabulary": (
        "inputs: {tokens: [1, 7]}\nlayers: [{embedding: 2}]\nloss: none\n",
        "1: inputs: needs `vocabulary`: the list of its words, or how many there are",
    ),
    "tokens without an embedding": (
        "inputs: {tokens: [a, b]}\nlayers: [{rnn: 2}]\nloss: none\n",
        "2: layers[0]: rnn reads a sequence, got tokens of 2 (steps); put `embedding` before it",
    ),
    "a value missing among others": (
        "inputs: {x1: 1, x2: }\nlayers: [batch-normalization]\nloss: none\n",
        "1: inputs.x2: expected a number, as the others have one; or no number for any",
    ),
    "an input named as derive names": (
        "inputs: {x1: 1, gamma_1: 2}\nlayers: [batch-normalization]\nloss: none\n",
        "1: inputs.gamma_1: the name 'gamma_1' is one that derive gives itself; choose another",
    ),
    "no inputs": ("inputs: 0\nlayers: [{dense: 5}]\n", "1: inputs: expected a whole number from 1 to 10000, got '0'"),
    "no targets": (
        UNNAMED,
        "1: targets: no targets; expected one for each of 2 outputs, or `loss: none` for a forward pass",
    ),
    "no targets of units": (
        TWO,
        "1: targets: no targets; expected one for each output unit (o1, o2), or `loss: none` for a forward pass",
    ),
    "a target too many": (UNNAMED + "targets: [1, 2, 3]\n", "3: targets: expected 2 numbers, got a list of 3"),
    "names for entries that have none": (
        UNNAMED + "targets: {o1: 2}\n",
        "3: targets: expected 2 numbers (units): the output's entries have no names",
    ),
    "a class of entries that have no names": (
        UNNAMED + "targets: ship\n",
        "3: targets: expected 2 numbers (units), got names; the output has no classes",
    ),
    "an unknown class": (TWO + "targets: ship\n", "3: targets: unknown class 'ship'; expected one of o1, o2"),
    "a target of a unit missing": (
        TWO + "targets: {o1: 2}\n",
        "3: targets: no target for o2; expected one for each output unit (o1, o2)",
    ),
    "names and numbers": (
        TWO + "targets: [1, o1]\n",
        "3: targets: expected numbers, or names of classes, got both",
    ),
    "numbers for units of dense layers": (
        "inputs: {x: 1}\nlayers: [{dense: 1}]\ntargets: [3]\n",
        "3: targets[0]: expected a map of output units to numbers, or names of classes, got '3'",
    ),
    "scores of no dense layer": (
        UNNAMED + "targets: [1, 0]\nloss: softmax-cross-entropy\n",
        "4: loss: softmax-cross-entropy takes scores of a dense layer; the last layer is flatten",
    ),
    "a target beyond one": (
        UNNAMED + "targets: [3, 0]\nloss: cross-entropy\n",
        "3: targets: expected targets from 0 to 1 for cross-entropy, got 3",
    ),
    "training without weights": (
        TWO + "targets: o1\noptimizer: {sgd: {learning-rate: 1}}\ntraining: {steps: 3}\n",
        "5: training: needs numbers everywhere; layers[1].weights has none",
    ),
    "inputs without targets in training": (
        "inputs: {image: {shape: [1, 2]}}\nlayers: [flatten]\ntargets: [1, 2]\noptimizer: sgd\n",
        "4: optimizer: no layer is trainable",
    ),
}


@pytest.mark.parametrize("sentence", SIGNALS)
def test_inputs_and_targets_that_do_not_fit_are_told_in_full(sentence: str, complaints: Complaints) -> None:
    text, message = SIGNALS[sentence]
    assert complaints(text) == f"problem.yaml:{message}"


def test_complaints_of_all_layers_come_at_once(complaints: Complaints) -> None:
    text = SEQUENCE + "{rnn: 2, bias: [1]}\n  - {rnn: x}\n  - {rnn: 3, outputs: no}\n"
    assert [line.split(" ")[1] for line in complaints(text).splitlines()] == [
        "layers[0].bias:",
        "layers[1].rnn:",
        "layers[2].outputs:",
    ]
