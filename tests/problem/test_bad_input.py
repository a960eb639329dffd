"""Bad problem files: for each, every word of what a person is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from derive.errors import ProblemError
from derive.problem.read import read_problem

Complaints = Callable[[str | bytes], str]

ACTIVATIONS = (
    "sigmoid, tanh, relu, leaky-relu, elu, softplus, silu, gelu, bipolar-sigmoid, identity, threshold, softmax, maxout"
)
LOSSES = (
    "half-squared-error, squared-error, mean-squared-error, binary-cross-entropy, cross-entropy, "
    "softmax-cross-entropy, multiclass-hinge, sum-of-outputs, none"
)
KEYS = (
    "title, document, inputs, targets, layers, loss, regularization, values, circuit, output, "
    "trainable, optimizer, "
    "training, marking, parts"
)

EDITS = {  # a sentence: what is replaced in W1, by what, and what the reader then says
    "an unknown key": ("loss:", "los:", f"12: los: unknown key 'los'; expected {KEYS}; did you mean 'loss'?"),
    "an unknown key of a layer": (
        "    activation: sigmoid",
        "    activaton: sigmoid",
        "7: layers[0].activaton: unknown key 'activaton'; expected dense, name, activation, weights, "
        "bias, numbering, "
        "names, trainable; did you mean 'activation'?",
    ),
    "an unknown activation": (
        "    activation: sigmoid",
        "    activation: sigmod",
        f"7: layers[0].activation: unknown 'sigmod'; expected one of {ACTIVATIONS}, or a formula of z; "
        "did you mean 'sigmoid'?",
    ),
    "an activation in capitals": (
        "    activation: sigmoid",
        "    activation: ReLU",
        f"7: layers[0].activation: unknown 'ReLU'; expected one of {ACTIVATIONS}, or a formula of z; "
        "did you mean 'relu'?",
    ),
    "an unknown option": (
        "    activation: sigmoid",
        "    activation: {leaky-relu: {slop: 1}}",
        "7: layers[0].activation.leaky-relu.slop: unknown key 'slop'; expected slope; did you mean 'slope'?",
    ),
    "an unknown loss": (
        "half-squared-error",
        "half-square-error",
        f"12: loss: unknown 'half-square-error'; expected one of {LOSSES}, or a formula of t and y; "
        "did you mean 'half-squared-error'?",
    ),
    "an unknown language": (
        "language: zh",
        "language: French",
        "15: document.language: unknown 'French'; expected one of en, zh",
    ),
    "an unknown order": (
        "order: simultaneous}",
        "order: backwards}",
        "13: optimizer.sgd.order: unknown 'backwards'; expected one of simultaneous, sequential",
    ),
    "an unknown worked parameter": (
        "[w5, w1]",
        "[w5, w10]",
        "15: document.worked: unknown parameter or quantity 'w10'; expected one of w1, w2, w3, w4, b1, w5, w6, w7, "
        "w8, b2, out_h1, out_h2, out_o1, out_o2; "
        "did you mean 'w1'?",
    ),
    "a short row of weights": (
        "[0.25, 0.30]",
        "[0.25]",
        "8: layers[0].weights: expected 2 rows of 2 numbers (2 units, 2 inputs), got 2 rows of 1 and 2",
    ),
    "a flat list of weights": (
        "[[0.15, 0.20], [0.25, 0.30]]",
        "[0.15, 0.20]",
        "8: layers[0].weights: expected 2 rows of 2 numbers (2 units, 2 inputs), got a list of 2",
    ),
    "too many biases": (
        "bias: 0.35",
        "bias: [1, 2, 3]",
        "9: layers[0].bias: expected 2 numbers (one per unit), got 3",
    ),
    "a bias table of the wrong shape": (
        "bias: 0.35",
        "bias: [[1, 2, 3]]",
        "9: layers[0].bias: expected 2 rows of 2 numbers (2 units, 2 inputs), got 1 row of 3",
    ),
    "a bias that is no number": (
        "bias: 0.35",
        "bias: shard",
        "9: layers[0].bias: expected a number, a list per unit, a table per connection, shared, unit, "
        "connection, "
        "{random: ...} or {threshold: ...}, got 'shard'",
    ),
    "a target missing": (
        ", o2: 0.99",
        "",
        "3: targets: no target for o2; expected one for each output unit (o1, o2)",
    ),
    "a target of no unit": (
        "o2: 0.99",
        "o2: 0.99, o3: 1",
        "3: targets.o3: unknown output unit 'o3'; expected one of o1, o2",
    ),
    "an unknown class": (
        "{o1: 0.01, o2: 0.99}",
        "ship",
        "3: targets: unknown class 'ship'; expected one of o1, o2",
    ),
    "a key twice": ("training:", "loss:", "14: loss: defined twice; first on line 12"),
    "an input twice": ("i2: 0.10", "i1: 0.10", "2: inputs.i1: defined twice; first on line 2"),
    "NaN": ("0.05", ".nan", "2: inputs.i1: expected a finite number, got '.nan'"),
    "infinity": ("bias: 0.35", "bias: -.inf", "9: layers[0].bias: expected a finite number, got '-.inf'"),
    "infinity in a row": ("0.25,", "inf,", "8: layers[0].weights[1][0]: expected a finite number, got 'inf'"),
    "a number beyond floats": (
        "0.05",
        "1e999",
        "2: inputs.i1: expected a number that fits a float (below 1.8e308), got '1e999'",
    ),
    "a number of 41 digits": (
        "0.05",
        "1" * 41,
        "2: inputs.i1: expected a number of at most 40 characters, got '" + "1" * 39 + "…'",
    ),
    "a hexadecimal number": ("0.05", "0x10", "2: inputs.i1: expected a number, got '0x10'"),
    "a number with underscores": ("0.05", "1_000", "2: inputs.i1: expected a number, got '1_000'"),
    "a sexagesimal number": ("0.05", "1:30", "2: inputs.i1: expected a number, got '1:30'"),
    "a word for a number": ("0.05", "abc", "2: inputs.i1: expected a number or a list of numbers, got 'abc'"),
    "a number of units that is none": (
        "dense: 2  ",
        "dense: two",
        "5: layers[0].dense: expected a whole number from 1 to 10000, got 'two'",
    ),
    "yes for true": (
        "decimals: 9",
        "glossary: yes",
        "15: document.glossary: expected true or false, got 'yes'",
    ),
    "no steps": ("10000", "0", "14: training.steps: expected a whole number from 1 to 10000000, got '0'"),
    "a negative rate": (
        "rate: 0.5",
        "rate: -0.5",
        "13: optimizer.sgd.learning-rate: expected a number above 0, got '-0.5'",
    ),
    "training at a symbolic rate": (
        "rate: 0.5",
        "rate: null",
        "14: training: needs numbers everywhere; optimizer.sgd.learning-rate has none",
    ),
    "decimals and significant digits": (
        "decimals: 9",
        "decimals: 9, significant: 3",
        "15: document.significant: expected decimals or significant, got both (document.decimals, line 15)",
    ),
    "samples of two counts": (
        "i2: 0.10",
        "i2: [1, 2]",
        "2: inputs.i2: expected 1 value, one per sample as for 'i1', got 2",
    ),
    "a name that is none": (
        "{i1: 0.05",
        "{1st: 0.05",
        "2: inputs.1st: expected a name (a letter, then letters, digits or _), got '1st'",
    ),
    "an input named as a weight": (
        "{i1: 0.05",
        "{w3: 0.05",
        "2: inputs.w3: the name 'w3' is already a weight (layers[0], line 5)",
    ),
    "an input named as a unit": (
        "{i1: 0.05",
        "{h1: 0.05",
        "6: layers[0].name: the name 'h1' is already an input (inputs.h1, line 2)",
    ),
    "an input named as derive names": (
        "{i1: 0.05",
        "{net_h1: 0.05",
        "2: inputs.net_h1: the name 'net_h1' is one that derive gives itself; choose another",
    ),
    "two layers of one name": (
        "name: h ",
        "name: o ",
        "11: layers[1].name: the name 'o' is already that of another layer (layers[0].name, line 6)",
    ),
    "a threshold that is trained": (
        "activation: sigmoid, w",
        "activation: threshold, w",
        "11: layers[1].activation: threshold has no derivative, so no gradient reaches the parameters "
        "before it; "
        "expected another activation, or no optimizer",
    ),
    "targets for the hinge that are no class": (
        "half-squared-error",
        "multiclass-hinge",
        "3: targets: expected one 1 among 0s for multiclass-hinge; or name the class: `targets: NAME`",
    ),
    "an option of another distribution": (
        "[[0.15, 0.20], [0.25, 0.30]]",
        "{random: xavier, low: 2}",
        "8: layers[0].weights.low: belongs to random: uniform, got random: xavier",
    ),
    "a circuit beside layers": (
        "loss: half-squared-error",
        "circuit: {q: i1}",
        "12: circuit: expected `layers` or `circuit`, got both (layers, line 4)",
    ),
    "a formula of an activation that does not parse": (
        "    activation: sigmoid",
        "    activation: z*(1+z",
        None,
    ),
}


@pytest.mark.parametrize("sentence", EDITS)
def test_one_wrong_place_is_one_complaint(sentence: str, w1: str, complaints: Complaints) -> None:
    old, new, message = EDITS[sentence]
    assert old in w1
    text = w1.replace(old, new, 1)
    said = complaints(text)
    if message is not None:
        assert said == f"problem.yaml:{message}"
    else:
        assert said.startswith("problem.yaml:7: layers[0].activation: ")
        assert "\n" not in said


MAP = "expected a map with `inputs` and `layers`, or `values` and `circuit`"

FILES: dict[str, tuple[str | bytes, str]] = {
    "an empty file": (
        "",
        "problem.yaml: the file is empty; expected a map with `inputs` and `layers`, or `values` and `circuit`",
    ),
    "a file of comments": ("# later\n", f"problem.yaml: the file is empty; {MAP}"),
    "a line of prose": ("hello\nworld\n", f"problem.yaml:1: {MAP}, got 'hello world'"),
    "a list": ("- a\n- b\n", f"problem.yaml:1: {MAP}, got a list of 2"),
    "a file that does not exist": ("no-such-file.yaml", "problem.yaml: there is no such file"),
    "a name that is no file": (
        "w1-mazur",
        "problem.yaml: expected a problem file or its text, got 'w1-mazur' (there is no such file)",
    ),
    "a title alone": (
        "title: x\n",
        "problem.yaml:1: expected `inputs` and `layers`, or `values` and `circuit`",
    ),
    "layers without inputs": (
        "title: x\nlayers: [{dense: 1}]\n",
        "problem.yaml:1: the key 'inputs' is missing",
    ),
    "targets without a loss to use them": (
        "inputs: {x: 1}\nlayers: [{dense: 1}]\ntargets: {o1: 1}\nloss: none\n",
        "problem.yaml:3: targets: targets are not used without a loss; leave them out, or choose another loss",
    ),
    "no targets": (
        "inputs: {x: 1}\nlayers: [{dense: 2}]\n",
        "problem.yaml:1: targets: no targets; expected one for each output unit (o1, o2), "
        "or `loss: none` for a forward pass",
    ),
    "a target above 1 for cross-entropy": (
        "inputs: {x: 1}\nlayers: [{dense: 1}]\ntargets: {o1: 1.5}\nloss: cross-entropy\n",
        "problem.yaml:3: targets.o1: expected targets from 0 to 1 for cross-entropy, got 1.5",
    ),
    "scores that went through an activation": (
        "inputs: [x]\nlayers:\n  - {dense: 2, activation: tanh}\nloss: softmax-cross-entropy\n",
        "problem.yaml:3: layers[0].activation: softmax-cross-entropy takes scores; expected identity in the last "
        "layer, got tanh",
    ),
    "a softmax twice": (
        "inputs: [x]\nlayers: [{dense: 2, activation: softmax}]\nloss: softmax-cross-entropy\n",
        "problem.yaml:3: loss: softmax-cross-entropy takes the softmax itself, and the last layer does too; "
        "use cross-entropy",
    ),
    "a tab": (
        "inputs:\n\tx: 1\n",
        "problem.yaml:2: not valid YAML: a value cannot begin so; indent with spaces, not tabs; quote @, ` and %",
    ),
    "an open brace": (
        "inputs: {x: 1\nlayers: 2\n",
        "problem.yaml:2: not valid YAML: a map that begins with '{' lacks a ',' or its '}' (begun on line 1)",
    ),
    "two colons": (
        "title: a: b\n",
        "problem.yaml:1: not valid YAML: a second ': ' in one value; put text that holds ': ' in quotes",
    ),
    "an open quote": (
        'title: "a\n',
        "problem.yaml:2: not valid YAML: a quote is not closed (begun on line 1)",
    ),
    "a loose indentation": (
        "inputs:\n    x: 1\n  y: 2\n",
        "problem.yaml:3: not valid YAML: this line does not fit: check its indentation, brackets and quotes "
        "(begun on line 1)",
    ),
    "an alias": (
        "circuit: {f: *x}\n",
        "problem.yaml:1: circuit.f: YAML aliases are not used here, got '*x'; put text that begins with '*' in quotes",
    ),
    "an anchor": (
        "values: &a {x: 1}\ncircuit: *a\n",
        "problem.yaml:1: values: YAML anchors are not used here, got '&a'; put text that begins with '&' in quotes",
    ),
    "a tag": (
        "title: !!python/object/apply:os.system [ls]\n",
        "problem.yaml:1: title: YAML tags are not used here, got 'tag:yaml.org,2002:python/object/apply:o…'; "
        "put text that begins with '!' in quotes",
    ),
    "a merge key": ("title: x\n<<: {inputs: 1}\n", "problem.yaml:2: <<: YAML merge keys are not used here"),
    "two documents": (
        "title: x\n---\ntitle: y\n",
        "problem.yaml:2: a second document begins here; several problems in one file go under `parts:`",
    ),
    "a bell": ("title: x\n\n# \x07\n", "problem.yaml:3: a control character (code 7) that text cannot hold"),
    "half a surrogate pair": (
        "title: \ud800\n",
        "problem.yaml: not text: character 8 is half of a surrogate pair",
    ),
    "fifty brackets": ("title: " + "[" * 50, "problem.yaml:1: nested more than 20 levels deep"),
    "Latin-1": (
        "title: x\ntitle: café\n".encode("latin-1"),
        "problem.yaml:2: not UTF-8: byte 20 (0xe9) cannot be read; save the file as UTF-8",
    ),
    "UTF-16": (
        "title: x\n".encode("utf-16"),
        "problem.yaml: not UTF-8 but UTF-16 (byte 1); save the file as UTF-8",
    ),
    "ten megabytes": (
        b"#" * 10_000_000,
        "problem.yaml: larger than 1,000,000 bytes; a problem file is at most that long",
    ),
    "a cycle and a definition too late": (
        "values: {x: 1}\ncircuit:\n  a: x*b\n  b: a + c\n  c: 2*x\n",
        "problem.yaml:3: circuit.a: a cycle: 'a' needs 'b' needs 'a'\n"
        "problem.yaml:4: circuit.b: 'c' is used before it is defined (circuit.c, line 5); put its "
        "definition first",
    ),
    "a variable of itself": (
        "values: {x: 1}\ncircuit: {a: a*x}\n",
        "problem.yaml:2: circuit.a: a cycle: 'a' needs 'a'",
    ),
    "a variable that is a value": (
        "values: {x: 1}\ncircuit: {x: '2', y: x*2}\n",
        "problem.yaml:2: circuit.x: the name 'x' is already one of the values (values.x, line 1)",
    ),
    "a variable twice": (
        "values: {x: 1}\ncircuit:\n  y: x*2\n  y: x*3\n",
        "problem.yaml:4: circuit.y: defined twice; first on line 3",
    ),
    "an output that is no variable": (
        "values: {x: 1}\ncircuit: {q: 2*x}\noutput: p\n",
        "problem.yaml:3: output: unknown variable 'p'; expected one of q",
    ),
    "inputs of a circuit": (
        "inputs: {x: 1}\ncircuit: {q: 2*x}\n",
        "problem.yaml:1: inputs: belongs to a network; a circuit's numbers are its `values`",
    ),
    "an optimizer without trainable values": (
        "values: {x: 1}\ncircuit: {q: 2*x}\noptimizer: sgd\n",
        "problem.yaml:3: optimizer: needs `trainable`: which values it updates, a list of some of x",
    ),
    "a bad part": (
        "parts:\n  - {circuit: {f: x*y}, document: {worked: [z]}}\n  - {inputs: [x]}\n",
        "problem.yaml:2: parts[0].document.worked: unknown name 'z'; expected one of x, y, f\n"
        "problem.yaml:3: parts[1]: the key 'layers' is missing",
    ),
    "layers beside parts": (
        "parts: [{circuit: {f: x}}]\nlayers: [{dense: 1}]\n",
        "problem.yaml:2: layers: belongs to a part, got it beside `parts`",
    ),
}


@pytest.mark.parametrize("sentence", FILES)
def test_a_bad_file_is_told_in_full(sentence: str, complaints: Complaints) -> None:
    source, message = FILES[sentence]
    assert complaints(source) == message


def test_all_complaints_come_at_once_in_the_order_of_the_file(w1: str, complaints: Complaints) -> None:
    text = w1.replace("0.05", ".nan").replace(", o2: 0.99", "").replace("[0.25, 0.30]", "[0.25]").replace("10000", "x")
    lines = [line.split(" ")[0] + " " + line.split(" ")[1] for line in complaints(text).splitlines()]
    assert lines == [
        "problem.yaml:2: inputs.i1:",
        "problem.yaml:3: targets:",
        "problem.yaml:8: layers[0].weights:",
        "problem.yaml:14: training.steps:",
    ]


def test_an_unknown_name_in_a_formula_has_its_place_and_the_nearest_name(complaints: Complaints) -> None:
    said = complaints("values: {height: 1}\ncircuit:\n  q: 2*heigth\n")
    assert said.startswith("problem.yaml:3: circuit.q: ")
    assert "'heigth'" in said
    assert "did you mean 'height'?" in said


def test_a_formula_cut_by_a_comma_is_explained(complaints: Complaints) -> None:
    said = complaints("values: {x: 1}\ncircuit: {a: max(x, 2)}\n")
    assert "put a formula that holds commas in quotes" in said


def test_a_yaml_bomb_is_one_message_at_once(complaints: Complaints) -> None:
    rows = [f"a{level}: &a{level} [" + ", ".join([f"*a{level - 1}"] * 9) + "]" for level in range(1, 30)]
    started = time.perf_counter()
    said = complaints("a0: &a0 [x, x]\n" + "\n".join(rows))
    assert time.perf_counter() - started < 0.1
    assert said.startswith("problem.yaml:1: a0: YAML anchors are not used here")


def test_a_large_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with open(path, "wb") as file:
        file.truncate(10_000_000_000)
    started = time.perf_counter()
    with pytest.raises(ProblemError, match=r"larger than 1,000,000 bytes"):
        read_problem(path)
    assert time.perf_counter() - started < 0.5


def test_a_thousand_mistakes_are_a_hundred_complaints(complaints: Complaints) -> None:
    said = complaints("".join(f"key{number}: 1\n" for number in range(20_000))).splitlines()
    assert len(said) == 101
    assert said[0] == "problem.yaml: 100 complaints; the rest is not read"


def test_a_network_too_large_is_refused_before_it_is_built(complaints: Complaints) -> None:
    said = complaints("inputs: [x]\nlayers: [{dense: 10000}, {dense: 10000}]\n")
    assert said == "problem.yaml:2: layers[1]: more than 1,000,000 weights"


def test_a_directory_is_not_a_problem_file(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="cannot be read: Is a directory"):
        read_problem(tmp_path)


def test_data_that_holds_itself_is_refused() -> None:
    data: dict[str, object] = {"inputs": {"x": 1}}
    data["layers"] = [data]
    with pytest.raises(ProblemError, match="nested more than 20 levels deep"):
        read_problem(data)


def test_data_of_other_types_is_refused() -> None:
    with pytest.raises(ProblemError, match=r"problem: inputs\.x: expected text, numbers, lists and maps, got 'object'"):
        read_problem({"inputs": {"x": object()}, "layers": [{"dense": 1}]})
    with pytest.raises(ProblemError, match=r"problem: inputs: expected names as text, got the key 'True'"):
        read_problem({"inputs": {True: 1}, "layers": [{"dense": 1}]})
