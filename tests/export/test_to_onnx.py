"""What is promised of the ONNX model that `to_onnx` writes: valid, fully shaped, well named, deterministic and small."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from helpers import TESTS, Array, refused, run_python, run_reference
from make_onnxruntime_support import programs, run_onnxruntime
from onnx import ModelProto, ValueInfoProto, numpy_helper
from operator_cases import DTYPES
from random_graphs import random_graph

import unroll
from unroll import BasicLSTMCell, BasicRNNCell, Graph, GRUCell, MultiRNNCell, dynamic_rnn, ops, static_rnn
from unroll.export import lowering
from unroll.export.lowering import DEFAULT_OPSET, LATEST_OPSET
from unroll.passes import fold_zeros

OPSETS = range(DEFAULT_OPSET, LATEST_OPSET + 1)
CELLS: dict[str, Callable[[], Any]] = {
    "rnn": lambda: BasicRNNCell(4),
    "lstm": lambda: BasicLSTMCell(4),
    "lstm, state in one": lambda: BasicLSTMCell(4, state_is_tuple=False),
    "gru": lambda: GRUCell(4),
    "multi": lambda: MultiRNNCell([GRUCell(4), BasicLSTMCell(5)]),
}
#: The first opset that has every operator; in an older one some are written out (test_older_opsets.py).
HAS_THEM_ALL = 17
PROGRAMS = [*CELLS, "dynamic", "rows of an image", "every operator"]


@pytest.mark.parametrize("batch", [0, -1, True, 2.0, None])
def test_a_batch_that_is_no_size_is_refused(batch: Any) -> None:
    graph = cell_graph("lstm")
    for form in ("unrolled", "auto"):
        refused(lambda: unroll.to_onnx(graph, form=form, batch=batch), ValueError, "batch", repr(batch))  # noqa: B023


def cell_graph(kind: str, steps: int = 3, batch: int | None = None) -> Graph:
    inputs = [unroll.placeholder([batch, 3], f"X{step}") for step in range(steps)]
    outputs, state = static_rnn(CELLS[kind](), inputs)
    return Graph(inputs, [outputs, state])


def image_graph() -> Graph:
    """The rows of an image as steps: its reshapes need ``28*batch``."""
    x = unroll.placeholder([None, 784], "x")
    rows = ops.reshape(ops.transpose(ops.reshape(x, [-1, 28, 28]), [1, 0, 2]), [-1, 28])
    outputs, state = static_rnn(BasicLSTMCell(13), list(ops.split(rows, 28)))
    return Graph([x], {"last": outputs[-1], "state": state})


def every_operator_graph() -> Graph:
    """Each operator once, each with inputs of its own."""
    inputs: list[Any] = []
    outputs: dict[str, Any] = {}
    for op in DTYPES:
        one = next(item for item in programs(op) if "float32" not in DTYPES[op] or item.dtype == "float32")
        renamed = {old: unroll.placeholder(old.shape, f"{op}/{old.name}", old.dtype) for old in one.graph.inputs}
        (node,) = one.graph.nodes
        made = ops.apply(node.op, *(renamed.get(item, item) for item in node.inputs))
        inputs += renamed.values()
        outputs[op] = list(made)
    return Graph(inputs, outputs)


def program(kind: str) -> Graph:
    if kind == "dynamic":
        x = unroll.placeholder([None, 3, 2], "x")
        outputs, state = dynamic_rnn(GRUCell(4), x)
        return Graph([x], {"outputs": outputs, "state": state})
    if kind in CELLS:
        return cell_graph(kind)
    return image_graph() if kind == "rows of an image" else every_operator_graph()


def feeds_of(graph: Graph, batch: int = 2) -> dict[str, Array]:
    rng = np.random.default_rng(3)
    shapes = {spec.name: [dim if isinstance(dim, int) else batch for dim in spec.shape] for spec in graph.input_specs}
    return {spec.name: np.asarray(rng.random(shapes[spec.name])).astype(spec.dtype) for spec in graph.input_specs}


def infer(model: ModelProto) -> ModelProto:
    return onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)


def dims(info: ValueInfoProto) -> list[int | str]:
    return [dim.dim_value if dim.HasField("dim_value") else dim.dim_param for dim in info.type.tensor_type.shape.dim]


def infos(model: ModelProto) -> dict[str, ValueInfoProto]:
    return {item.name: item for item in (*model.graph.input, *model.graph.value_info, *model.graph.output)}


def check(model: ModelProto) -> None:
    """Everything that ONNX itself says of a model, and that our shapes are the ones that it infers."""
    onnx.checker.check_model(model, full_check=True)
    declared, inferred = infos(model), infos(infer(model))
    assert inferred == declared, "inference adds to what is declared, or changes it"
    assert "unk__" not in str(inferred.values())
    bare = ModelProto()
    bare.CopyFrom(model)
    del bare.graph.value_info[:]
    for name, info in infos(infer(bare)).items():
        assert info.type.tensor_type.elem_type == declared[name].type.tensor_type.elem_type, name
        for found, ours in zip(dims(info), dims(declared[name]), strict=True):
            assert found == ours or isinstance(found, str), f"{name}: {found} is inferred, {ours} declared"


def step_of(name: str) -> int | None:
    """The timestep of a node, from its name alone, as the grammar has it."""
    steps = [int(part[1:]) for part in name.split("/") if re.fullmatch(r"t\d+", part)]
    return steps[0] if steps else None


# -- valid ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("kind", PROGRAMS)
def test_the_checker_and_strict_shape_inference_pass_at_every_opset(kind: str, fold: bool) -> None:
    graph = program(kind)
    for opset in OPSETS:
        check(unroll.to_onnx(graph, opset=opset, fold_zero_state=fold, runtime=None))


def test_the_graph_of_every_operator_is_that() -> None:
    model = unroll.to_onnx(every_operator_graph(), opset=HAS_THEM_ALL, runtime=None)
    seen = Counter(node.op_type for node in model.graph.node)
    assert seen == dict.fromkeys((name for _, name in ops.OPERATORS), 1)


@pytest.mark.parametrize("start", range(0, 60, 10))
def test_the_checker_and_strict_shape_inference_pass_for_random_graphs(start: int) -> None:
    for seed in range(start, start + 10):
        graph, _ = random_graph(seed)
        check(unroll.to_onnx(graph, opset=OPSETS[seed % len(OPSETS)], runtime=None))


@pytest.mark.parametrize(("opset", "ir_version"), [(13, 7), (14, 7), (15, 8), (17, 8), (19, 9), (20, 9), (21, 10)])
def test_the_ir_version_is_the_oldest_that_the_opset_was_released_with(opset: int, ir_version: int) -> None:
    model = unroll.to_onnx(cell_graph("rnn"), opset=opset)
    assert (model.ir_version, model.opset_import[0].version, len(model.opset_import)) == (ir_version, opset, 1)


def test_by_default_the_model_is_opset_13_of_ir_version_7_and_the_ir_version_can_be_set() -> None:
    model = unroll.to_onnx(cell_graph("rnn"))
    assert (model.opset_import[0].version, model.opset_import[0].domain, model.ir_version) == (13, "", 7)
    for ir_version in (7, 8, 10, lowering.LATEST_IR_VERSION):
        set_by_hand = unroll.to_onnx(cell_graph("rnn"), ir_version=ir_version)
        assert (set_by_hand.ir_version, set_by_hand.opset_import[0].version) == (ir_version, 13)
        check(set_by_hand)


@pytest.mark.parametrize("ir_version", [6, 0, -1, lowering.LATEST_IR_VERSION + 1, True, "8", 8.0])
def test_an_ir_version_that_the_opset_does_not_allow_is_refused(ir_version: Any) -> None:
    action = lambda: unroll.to_onnx(cell_graph("rnn"), ir_version=ir_version)  # noqa: E731
    refused(action, ValueError, repr(ir_version), "opset 13", f"7 to {lowering.LATEST_IR_VERSION}")


@pytest.mark.parametrize("opset", [12, 0, LATEST_OPSET + 1, True, "13", 13.0])
def test_an_opset_there_is_not_is_refused(opset: Any) -> None:
    refused(lambda: unroll.to_onnx(cell_graph("rnn"), opset=opset), ValueError, repr(opset), f"13 to {LATEST_OPSET}")


def test_what_is_no_graph_is_refused() -> None:
    not_a_graph: Any = unroll.placeholder([3], "x")
    refused(lambda: unroll.to_onnx(not_a_graph), TypeError, "Graph", "Placeholder")


def test_weights_that_one_file_cannot_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    x = unroll.placeholder([3], "x")
    weight = unroll.Parameter(np.ones(3, "float32"), "weight")
    graph = Graph([x], x * weight + unroll.constant(np.ones(5, "float32"))[:3])  # 12 + 20 bytes, and 3 int64 to slice
    monkeypatch.setattr(lowering, "_TWO_GIB", 57)
    unroll.to_onnx(graph)
    monkeypatch.setattr(lowering, "_TWO_GIB", 56)
    refused(lambda: unroll.to_onnx(graph), ValueError, "56 bytes")


# -- shapes and weights -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PROGRAMS)
def test_every_tensor_has_the_shape_and_dtype_that_a_run_gives_it(kind: str) -> None:
    graph, batch = program(kind), 5
    opset = HAS_THEM_ALL if kind == "every operator" else None
    model = unroll.to_onnx(graph, opset=opset, fold_zero_state=False, runtime=None)
    declared = infos(model)
    names = [name for node in model.graph.node for name in node.output]
    assert Counter(names + [item.name for item in model.graph.input]) == dict.fromkeys(declared, 1)
    for name, array in zip(names, graph.run(feeds_of(graph, batch), names), strict=True):
        kinds = declared[name].type.tensor_type
        shape = tuple(eval(str(dim), {"batch": batch}) for dim in dims(declared[name]))
        assert (shape, onnx.helper.tensor_dtype_to_np_dtype(kinds.elem_type)) == (array.shape, array.dtype), name


def test_symbolic_dimensions_become_dim_params() -> None:
    model = unroll.to_onnx(image_graph())
    declared = infos(model)
    (reshaped,) = [name for node in model.graph.node if node.name == "Reshape_1" for name in node.output]
    assert dims(declared["x"]) == ["batch", 784]
    assert dims(declared["Transpose"]) == [28, "batch", 28]
    assert dims(declared[reshaped]) == ["28*batch", 28]
    assert dims(declared["last"]) == ["batch", 13]


def test_two_unknown_dimensions_keep_their_names_and_equal_ones_share_one() -> None:
    a, b = unroll.placeholder(["rows", None], "a"), unroll.placeholder(["n", 4], "b")
    model = unroll.to_onnx(Graph([a, b], {"y": a @ b}))
    assert dims(infos(model)["y"]) == ["rows", 4]
    assert dims(infos(model)["a"])[1] == dims(infos(model)["b"])[0]
    check(model)


@pytest.mark.parametrize("kind", CELLS)
def test_each_weight_is_one_initializer_of_its_own_name_and_value(kind: str) -> None:
    graph = cell_graph(kind, steps=4)
    rng = np.random.default_rng(0)
    graph.assign({name: rng.standard_normal(item.shape) for name, item in graph.parameters.items()})
    model = unroll.to_onnx(graph)
    assert set(Counter(item.name for item in model.graph.initializer).values()) == {1}
    initializers = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    for name, parameter in graph.parameters.items():
        assert initializers[name].dtype == parameter.dtype
        assert np.array_equal(initializers[name], parameter.value)
    floats = [name for name, array in initializers.items() if array.dtype.kind == "f" and array.ndim]
    assert floats == list(graph.parameters), "a weight is there twice, or a constant of zeros is"
    assert not set(initializers) & {item.name for item in model.graph.input}


def test_a_model_is_a_snapshot_of_its_weights() -> None:
    graph = cell_graph("rnn")
    before = unroll.to_onnx(graph)
    graph.parameters["rnn/basic_rnn_cell/bias"].assign([1, 2, 3, 4])
    kept, new = (
        {item.name: numpy_helper.to_array(item).tolist() for item in model.graph.initializer}
        for model in (before, unroll.to_onnx(graph))
    )
    assert kept["rnn/basic_rnn_cell/bias"] == [0, 0, 0, 0]
    assert new["rnn/basic_rnn_cell/bias"] == [1, 2, 3, 4]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "int64", "bool"])
def test_constants_of_every_dtype_keep_their_values(dtype: str) -> None:
    array = np.array([[0, 1, 1], [1, 0, 1]], dtype)
    x = unroll.placeholder([2, 3], "x", dtype)
    model = unroll.to_onnx(Graph([x], {"y": ops.concat([x, unroll.constant(array, name="fixed")], 0)}))
    (fixed,) = [numpy_helper.to_array(item) for item in model.graph.initializer]
    assert fixed.dtype == array.dtype
    assert np.array_equal(fixed, array)
    assert np.array_equal(run_onnxruntime(model, {"x": ~array if dtype == "bool" else array})[0][2:], array)


def test_float_attributes_are_written_to_the_last_bit_and_every_runner_computes_with_them() -> None:
    x = unroll.placeholder([3], "x", "float32")
    alpha, beta = 0.1, 1 / 3
    graph = Graph([x], {"y": ops.hard_sigmoid(ops.leaky_relu(x, alpha), alpha, beta)})
    model = unroll.to_onnx(graph)
    stored = {(node.op_type, item.name): item.f for node in model.graph.node for item in node.attribute}
    assert stored == {
        ("LeakyRelu", "alpha"): float(np.float32(alpha)),
        ("HardSigmoid", "alpha"): float(np.float32(alpha)),
        ("HardSigmoid", "beta"): float(np.float32(beta)),
    }
    fed = np.array([-3, 0.25, 2], "float32")
    wanted = np.clip(np.float32(alpha) * np.where(fed < 0, np.float32(alpha) * fed, fed) + np.float32(beta), 0, 1)
    for found in (graph.run({"x": fed})["y"], run_onnxruntime(model, {"x": fed})[0]):
        np.testing.assert_allclose(found, wanted, rtol=2e-7)


@pytest.mark.parametrize("noop", [False, True])
def test_reductions_without_axes_mean_the_same_at_every_opset_or_are_refused(noop: bool) -> None:
    x = unroll.placeholder([2, 3], "x")
    for op in ("ReduceMean", "ReduceMax"):
        made = ops.apply_one(ops.OPERATORS["", op](noop_with_empty_axes=noop), x)  # type: ignore[call-arg]
        graph = Graph([x], {"y": made})
        if noop:
            refused(lambda graph=graph: unroll.to_onnx(graph), NotImplementedError, op, "opset=18")
        for opset in (18, LATEST_OPSET) if noop else (13, 17, 18, LATEST_OPSET):
            (found,) = run_onnxruntime(unroll.to_onnx(graph, opset=opset), {"x": np.ones((2, 3), "float32")})
            assert found.shape == ((2, 3) if noop else (1, 1))


# -- names ------------------------------------------------------------------------------------------------------------

FRESH = """
import hashlib, sys
sys.path[:0] = sys.argv[1:]
import test_to_onnx, unroll
for kind in test_to_onnx.PROGRAMS:
    for options in ({}, {"opset": 21}, {"fold_zero_state": False}):
        model = unroll.to_onnx(test_to_onnx.program(kind), runtime=None, **options)
        print(kind, options, hashlib.sha256(model.SerializeToString()).hexdigest())
"""


def test_one_program_gives_the_same_bytes_in_every_process() -> None:
    first, second = (
        run_python(FRESH, str(TESTS), str(TESTS / "export"), PYTHONHASHSEED=seed) for seed in ("1", "4242")
    )
    assert first == second
    lines = first.splitlines()
    assert len(set(lines)) == len(lines) == 3 * len(PROGRAMS)
    again = hashlib.sha256(unroll.to_onnx(cell_graph("rnn")).SerializeToString()).hexdigest()
    assert lines[0] == f"rnn {{}} {again}"


@pytest.mark.parametrize("kind", [*CELLS, "dynamic"])
def test_node_names_follow_the_grammar_and_tell_the_step(kind: str) -> None:
    graph = program(kind)
    steps = {graph.name(node): {origin.step for origin in node.provenance} for node in graph.nodes}
    model = unroll.to_onnx(graph, fold_zero_state=False)
    assert [node.name for node in model.graph.node] == list(steps)
    assert len(set(steps)) == len(model.graph.node)
    for node in model.graph.node:
        scope, _, last = node.name.rpartition("/")
        assert re.fullmatch(rf"{node.op_type}(_[1-9]\d*)?", last), node.name
        assert scope.split("/")[0] == "rnn"
        assert steps[node.name] == {step_of(node.name)}


def test_names_are_those_of_the_users_program() -> None:
    model = unroll.to_onnx(cell_graph("lstm", steps=2), fold_zero_state=False)
    named = {name: node.op_type for node in model.graph.node for name in node.output}
    assert named["rnn/t1/basic_lstm_cell/f"] == "Sigmoid"
    assert named["rnn/t1/basic_lstm_cell/j"] == "Tanh"
    assert named["rnn/t0/basic_lstm_cell/h"] == named["rnn/t1/basic_lstm_cell/h"] == "Mul"
    assert [item.name for item in model.graph.input] == ["X0", "X1"]


def test_from_ir_version_10_on_every_node_carries_its_provenance_as_metadata() -> None:
    graph = cell_graph("lstm", steps=2)
    for options in ({"opset": 21}, {"ir_version": 10}):
        model = unroll.to_onnx(graph, **options)
        held = {node.name: {item.key: item.value for item in node.metadata_props} for node in model.graph.node}
        assert held["rnn/t1/basic_lstm_cell/f/Sigmoid"] == {
            "unroll.scope": "rnn/t1/basic_lstm_cell/f",
            "unroll.step": "1",
            "unroll.cell": "rnn/basic_lstm_cell",
            "unroll.gate": "f",
        }
        assert all(item.get("unroll.scope") for item in held.values())
        assert {name: item["unroll.step"] for name, item in held.items() if "unroll.step" in item} == {
            name: str(step_of(name)) for name in held if step_of(name) is not None
        }
        check(model)
    assert not any(node.metadata_props for node in unroll.to_onnx(graph, opset=20).graph.node)


# -- outputs ----------------------------------------------------------------------------------------------------------


def outputs_of(outputs: Callable[[Any, Any], Any]) -> tuple[list[str], list[str], list[str]]:
    """Export a graph of ``x`` and ``y = x + 1``, check it in three runners, and give its names in Graph and model."""
    x = unroll.placeholder([None, 3], "x")
    graph = Graph([x], outputs(x, x + 1))
    fed = np.arange(6, dtype="float32").reshape(2, 3)
    wanted = graph.run({"x": fed})
    for fold in (True, False):
        model = unroll.to_onnx(graph, fold_zero_state=fold)
        check(model)
        names = [item.name for item in model.graph.output]
        for run in (run_reference, run_onnxruntime):
            for name, array in zip(names, run(model, {"x": fed}), strict=True):
                assert np.array_equal(array, wanted[name])
        assert unroll.Session(model).run({"x": fed}).keys() == wanted.keys()
    return list(graph.output_names), names, [node.op_type for node in model.graph.node]


def test_an_output_that_is_an_input_as_it_is_becomes_an_identity() -> None:
    assert outputs_of(lambda x, y: [y, x]) == (["Add", "x/identity"], ["Add", "x/identity"], ["Add", "Identity"])


def test_an_output_listed_twice_is_one_output_of_the_model() -> None:
    assert outputs_of(lambda x, y: [y, y]) == (["Add", "Add"], ["Add"], ["Add"])


def test_outputs_named_by_a_dict_keep_their_names() -> None:
    assert outputs_of(lambda x, y: {"sum": y, "same": x})[1] == ["sum", "same"]
    assert outputs_of(lambda x, y: {"a": {"b": y}})[1] == ["a/b"]


def test_one_tensor_under_two_names_is_two_outputs() -> None:
    assert outputs_of(lambda x, y: {"p": y, "q": y})[1:] == (["p", "q"], ["Add", "Identity"])


def test_constants_and_parameters_can_be_outputs() -> None:
    weight = unroll.Parameter([1.0, 2.0], "w")
    assert outputs_of(lambda x, y: {"fixed": unroll.constant([3.0]), "weight": weight})[1] == ["fixed", "weight"]


@pytest.mark.parametrize("fold", [True, False])
def test_the_name_of_an_input_returned_as_it_is_gives_way_to_an_input_of_that_name(fold: bool) -> None:
    x, other = unroll.placeholder([3], "x"), unroll.placeholder([3], "x/identity")
    model = unroll.to_onnx(Graph([x, other], [x, other + 1]), fold_zero_state=fold)
    check(model)
    assert [item.name for item in model.graph.input] == ["x", "x/identity"]
    found = run_onnxruntime(model, {"x": np.zeros(3, "float32"), "x/identity": np.ones(3, "float32")})
    assert [array.tolist() for array in found] == [[0, 0, 0], [2, 2, 2]]


# -- the zero state costs nothing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("kind", CELLS)
def test_a_zero_initial_state_costs_nothing_at_step_0(kind: str, batch: int | None) -> None:
    graph = cell_graph(kind, batch=batch)
    folded, kept = unroll.to_onnx(graph), unroll.to_onnx(graph, fold_zero_state=False)
    kinds, kinds_kept = (Counter(node.op_type for node in model.graph.node) for model in (folded, kept))
    assert not {"Shape", "ConstantOfShape"} & kinds.keys()
    assert kinds_kept["ConstantOfShape"] >= 1
    steps, steps_kept = (Counter(step_of(node.name) for node in model.graph.node) for model in (folded, kept))
    assert steps[0] < steps[1] == steps[2]
    assert steps_kept[0] > steps_kept[1] == steps[1]
    assert not any("zero_state" in node.name for node in folded.graph.node)
    weights = set(graph.parameters)
    zeros = [i.name for i in folded.graph.initializer if i.name not in weights and not numpy_helper.to_array(i).any()]
    assert [name for name in zeros if name != "constant/[0]"] == [], "only the start of a Slice is 0"


@pytest.mark.parametrize("kind", CELLS)
def test_folding_changes_neither_values_nor_names_nor_the_graph(kind: str) -> None:
    graph = cell_graph(kind)
    names = graph.tensor_names()
    feeds = feeds_of(graph)
    wanted = graph.run(feeds)
    models = [unroll.to_onnx(graph, fold_zero_state=fold) for fold in (True, False)]
    for model in models:
        assert [item.name for item in model.graph.output] == list(dict.fromkeys(graph.output_names))
        for run in (run_reference, run_onnxruntime):
            for item, array in zip(model.graph.output, run(model, feeds), strict=True):
                np.testing.assert_allclose(array, wanted[item.name], atol=1e-6)
    assert graph.tensor_names() == names
    assert models[0].graph.output == models[1].graph.output
    assert len(fold_zeros(graph).nodes) == len(models[0].graph.node) < len(models[1].graph.node)
