"""Names that other frameworks have, and what to write here: of a tensor, of a model, and of each package."""

from __future__ import annotations

_A_RUN = "it has no value before a run: Graph(inputs, outputs).run(feeds)"
_INFERS = "a traced graph infers, and has no gradients; train in the framework, then assign the weights"
_HOST = "tensors are no memory on a device: they are traced, and a run gives NumPy arrays"
_DTYPE = "it is unroll.ops.cast(x, dtype)"

#: Attributes of a tensor.
TENSOR: dict[str, str] = {
    "T": "it is unroll.ops.transpose(x)",
    "astype": _DTYPE,
    "assign": "only a Parameter can be assigned: unroll.Parameter(array, name)",
    "backward": _INFERS,
    "chunk": "it is unroll.ops.split(x, pieces, axis)",
    "clone": "a tensor never changes: use it as it is",
    "consumers": "read graph.nodes, or graph.to_networkx()",
    "contiguous": "a tensor has no memory layout: use it as it is",
    "copy": "a tensor never changes: use it as it is",
    "cpu": _HOST,
    "cuda": _HOST,
    "detach": "there are no gradients: use it as it is",
    "device": _HOST,
    "dim": "it is x.rank",
    "dot": "it is x @ y",
    "double": "it is unroll.ops.cast(x, 'float64')",
    "eval": _A_RUN,
    "expand_as": "it is unroll.ops.expand(x, shape)",
    "flatten": "it is unroll.ops.reshape(x, [0, -1])",
    "float": "it is unroll.ops.cast(x, 'float32')",
    "get_shape": "it is x.shape, a tuple of ints and symbols",
    "grad": _INFERS,
    "graph": "there is no global graph: unroll.Graph(inputs, outputs) makes one",
    "half": "it is unroll.ops.cast(x, 'float16')",
    "int": "it is unroll.ops.cast(x, 'int32')",
    "item": _A_RUN,
    "long": "it is unroll.ops.cast(x, 'int64')",
    "max": "it is unroll.ops.reduce_max(x, axis)",
    "mean": "it is unroll.ops.reduce_mean(x, axis)",
    "min": "it is unroll.ops.reduce_min(x, axis)",
    "mm": "it is x @ y",
    "name": "graph.name(tensor) is its name in a graph, tensor.label what it is called before",
    "ndim": "it is x.rank",
    "ndims": "it is x.rank",
    "numpy": _A_RUN,
    "op": "it is x.node, with the operator x.node.op",
    "permute": "it is unroll.ops.transpose(x, perm)",
    "ravel": "it is unroll.ops.reshape(x, [-1])",
    "repeat": "it is unroll.ops.tile(x, repeats)",
    "requires_grad": _INFERS,
    "round": "it is unroll.ops.floor(x + 0.5), which rounds halves up",
    "set_shape": "a shape is fixed when the tensor is made: unroll.ops.reshape(x, shape)",
    "size": "it is x.shape; unroll.ops.shape(x) is what a run gives",
    "sum": "it is unroll.ops.reduce_sum(x, axis)",
    "swapaxes": "it is unroll.ops.transpose(x, perm)",
    "t": "it is unroll.ops.transpose(x)",
    "to": f"{_DTYPE}; {_HOST}",
    "tolist": _A_RUN,
    "type": f"it is x.dtype; to convert {_DTYPE.removeprefix('it is ')}",
    "unbind": "it is unroll.ops.unstack(x, axis)",
    "value_index": "it is x.index",
    "view": "it is unroll.ops.reshape(x, shape)",
    "view_as": "it is unroll.ops.reshape(x, shape)",
}

#: What a tensor is, and how one of another kind is made.
FIXED: dict[str, str] = {
    "dtype": "unroll.ops.cast(x, dtype) makes another tensor",
    "index": "it says which output of its node the tensor is",
    "name": "it is given where the tensor is made, with name=",
    "node": "it says what made the tensor",
    "shape": "unroll.ops.reshape(x, shape) makes another tensor",
    "value": "a Parameter takes a new value by parameter.assign(array); a constant is fixed",
}

#: Attributes of the shape of a tensor.
SHAPE: dict[str, str] = {
    "as_list": "it is list(x.shape), with a symbol where TensorFlow has None",
    "dims": "it is x.shape itself, a tuple",
    "is_fully_defined": "it is all(isinstance(dim, int) for dim in x.shape)",
    "ndims": "it is x.rank",
    "num_elements": "it is math.prod(x.shape)",
    "numel": "it is math.prod(x.shape)",
    "rank": "it is x.rank",
}

#: Attributes of a Parameter, besides those of a tensor.
PARAMETER: dict[str, str] = {
    "assign_add": "it is w.assign(w.value + array)",
    "assign_sub": "it is w.assign(w.value - array)",
    "copy_": "it is w.assign(array)",
    "data": "it is w.value, an array",
    "detach": "it is w.value, an array",
    "eval": "it is w.value, an array",
    "fill_": "it is w.assign(np.full(w.shape, number))",
    "initial_value": "it is w.value until w.assign(array) changes it",
    "initialized_value": "it is w.value until w.assign(array) changes it",
    "initializer": "it has its first value from the start: w.value",
    "item": "it is w.value.item()",
    "load": "it is w.assign(array)",
    "numpy": "it is w.value, an array",
    "read_value": "it is w.value, an array",
    "requires_grad": "a traced graph infers, and has no gradients",
    "set": "it is w.assign(array)",
    "set_value": "it is w.assign(array)",
    "tolist": "it is w.value.tolist()",
    "trainable": "a traced graph infers: nothing is trained here",
    "zero_": "it is w.assign(np.zeros(w.shape))",
}

_TRAIN = "a traced graph infers: train in Keras or PyTorch, then set_weights or load_state_dict here"

#: Attributes of cells, layers, modules and models.
MODEL: dict[str, str] = {
    "backward": _TRAIN,
    "compile": f"{_TRAIN}; unroll.compile(model.trace()) is the fastest session of a graph",
    "cpu": "where a model runs is chosen when it runs",
    "cuda": "where a model runs is chosen when it runs",
    "evaluate": "run the graph: model.trace().run(feeds), or unroll.Session(graph).run(feeds)",
    "export": "it is unroll.save(model.trace(), 'model.onnx')",
    "fit": _TRAIN,
    "reset_states": "states go on in a stream, stream = model.trace().stream(); a new stream starts from the first ones",
    "forward": "call it: module(x)",
    "draw": "it is unroll.draw(model.trace(), 'model.svg')",
    "get_config": "its arguments are attributes: layer.units",
    "get_layer": "models have it: layers.Sequential and layers.Model",
    "inputs": "a traced model has them: model.trace().inputs",
    "load_weights": "it is graph.load_parameters(path), or set_weights(arrays)",
    "modules": "a module has no parts; read module.named_parameters()",
    "outputs": "a traced model has them: model.trace().outputs",
    "save": "it is unroll.save(model.trace(), 'model.onnx'), or graph.save_parameters(path)",
    "run": "it is model.trace().run(feeds)",
    "save_weights": "it is model.trace().save_parameters(path)",
    "to": "where a model runs is chosen when it runs; its dtype is fixed when it is made",
    "state_dict": "a layer has get_weights(), a cell weights; modules have state_dict()",
    "to_onnx": "it is unroll.to_onnx(model.trace())",
    "trace": "it is unroll.trace(fn, placeholder), or unroll.Graph([x], y) of what it returns",
    "train": _TRAIN,
    "train_on_batch": _TRAIN,
    "trainable_variables": "they are layer.weights, cell.variables or module.parameters()",
    "trainable_weights": "they are layer.weights, cell.variables or module.parameters()",
    "variables": "they are layer.weights, cell.variables or module.parameters()",
    "zero_grad": _TRAIN,
}

#: Attributes of a graph, and of a session.
GRAPH: dict[str, str] = {
    "as_default": "there is no global graph: leave it out",
    "compile": "it is unroll.compile(graph)",
    "close": "a session ends when nothing refers to it: leave it out",
    "collections": "read graph.parameters and graph.nodes",
    "draw": "it is unroll.draw(graph, 'graph.svg')",
    "equivalent": "it is unroll.equivalent(graph, other)",
    "eval": "it is graph.run(feeds, fetches)",
    "export": "it is unroll.save(graph, 'model.onnx')",
    "finalize": "a graph never changes: leave it out",
    "get_collection": "read graph.parameters",
    "get_inputs": "they are session.inputs",
    "get_operation_by_name": "graph.tensor(name) finds a tensor, and its node is tensor.node",
    "get_operations": "they are graph.nodes",
    "get_outputs": "they are session.output_names",
    "get_tensor_by_name": "it is graph.tensor(name)",
    "graph": "it is itself the graph: graph.nodes, graph.inputs, graph.outputs",
    "initializer": "the weights are graph.parameters",
    "input": "they are graph.inputs",
    "node": "they are graph.nodes",
    "optimize": "it is unroll.optimize(graph)",
    "operations": "they are graph.nodes",
    "output": "they are graph.outputs",
    "plot": "it is unroll.draw(graph, 'graph.svg')",
    "predict": "it is graph.run(feeds), or session.run(feeds)",
    "render": "it is unroll.draw(graph, 'graph.svg')",
    "reroll": "it is unroll.reroll(graph)",
    "run_many": "it is unroll.run_many(graph, feeds)",
    "save": "it is unroll.save(graph, 'model.onnx'); weights: graph.save_parameters(path)",
    "session": "it is unroll.Session(graph)",
    "show": "it is unroll.draw(graph, 'graph.svg')",
    "state_dict": "its arrays are {name: w.value for name, w in graph.parameters.items()}",
    "to_onnx": "it is unroll.to_onnx(graph)",
    "trainable_variables": "they are graph.parameters",
    "variables": "they are graph.parameters",
    "verify": "it is unroll.verify(graph)",
    "weights": "they are graph.parameters",
}

#: Attributes of the package.
UNROLL: dict[str, str] = {
    "GradientTape": _TRAIN,
    "Input": "it is unroll.layers.Input(shape) of a model, unroll.placeholder([None, ...], name) of a graph",
    "InteractiveSession": "it is unroll.Session(graph)",
    "Model": "it is unroll.keras.Model; of tensors, unroll.Graph(inputs, outputs)",
    "Module": "there are unroll.nn.LSTM and its like, and a cell of your own is a subclass of unroll.RNNCell",
    "Sequential": "it is unroll.keras.Sequential",
    "Variable": "it is unroll.Parameter(array, name)",
    "concat": "it is unroll.ops.concat",
    "contrib": "its cells are in unroll.cells, its drivers in unroll",
    "convert_to_tensor": "it is unroll.constant",
    "export": "import unroll.export; most of it is in unroll: unroll.save, unroll.to_onnx, unroll.Session",
    "function": "it is unroll.trace(fn, *placeholders)",
    "get_default_graph": "there is no global graph: unroll.Graph(inputs, outputs)",
    "get_variable": "it is unroll.Parameter(array, name), or self.add_weight(...) in a cell",
    "global_variables_initializer": "Parameters have their first values when they are made: leave it out",
    "jit": "it is unroll.trace(fn, *placeholders), and unroll.compile(graph)",
    "load": "it is unroll.from_onnx('model.onnx'); weights are read by graph.load_parameters(path)",
    "name_scope": "it is unroll.scope(name)",
    "no_grad": "there are no gradients: leave it out",
    "onnx": "unroll.save(graph, 'model.onnx') writes, unroll.from_onnx('model.onnx') reads",
    "reset_default_graph": "there is no global graph: leave it out",
    "rnn_cell": "its cells are in unroll.cells",
    "run": "it is graph.run(feeds), or unroll.Session(graph).run(feeds)",
    "set_random_seed": "it is with unroll.scope(name, seed=...)",
    "tensor": "it is unroll.constant(array)",
    "train": _TRAIN,
    "variable_scope": "it is unroll.scope(name, initializer=..., seed=...)",
    "viz": "import unroll.viz; unroll.draw is what is in it",
    **dict.fromkeys(
        ("float16", "float32", "float64", "int32", "int64", "bool"), "dtypes are NumPy's, or their names: 'float32'"
    ),
}

#: What Keras has among its layers.
LAYERS: dict[str, str] = {
    "CuDNNGRU": "it is layers.GRU, whatever computes it",
    "CuDNNLSTM": "it is layers.LSTM, whatever computes it",
    "InputLayer": "it is layers.Input(shape)",
    "RNNCell": "it is a class with state_size, output_size and call(inputs, states), in layers.RNN(cell)",
}

#: What Keras has beside its layers.
KERAS: dict[str, str] = {
    "Variable": "it is layer.add_weight(shape, name=...), or unroll.Parameter(array, name)",
    "applications": "its models are not here; load the ONNX file of one with unroll.from_onnx",
    "callbacks": _TRAIN,
    "backend": "its functions are in keras.ops",
    "constraints": "a constraint acts in training only: give its name, kernel_constraint='max_norm'",
    "datasets": "load data with the library that has it: arrays are fed",
    "losses": _TRAIN,
    "metrics": _TRAIN,
    "optimizers": _TRAIN,
    "preprocessing": "it prepares arrays: pad and cut them with NumPy",
    "random": "a traced graph infers, where nothing is drawn",
    "regularizers": "a regularizer acts in training only: give its name, kernel_regularizer='l2'",
    "utils": "keras.utils prepares arrays; model.summary() and unroll.draw(model.trace(), 'model.svg') show a model",
}

_BY_NAME = "it is with unroll.scope(name, initializer=...), or a cell's own initializer="
#: What other frameworks have among their initialisers.
INITIALIZERS: dict[str, str] = {
    "calculate_gain": "the gain is an argument: initializers.Orthogonal(gain)",
    "constant_initializer": "it is initializers.Constant(value)",
    "constant_": _BY_NAME,
    "eye": "it is initializers.Identity(gain)",
    "get": "give the name itself: kernel_initializer='he_normal'",
    "glorot_uniform_initializer": "it is initializers.GlorotUniform(seed)",
    "kaiming_normal_": "it is initializers.HeNormal(seed)",
    "kaiming_uniform_": "it is initializers.HeUniform(seed)",
    "ones_initializer": "it is initializers.Ones()",
    "orthogonal_": "it is initializers.Orthogonal(gain, seed)",
    "random_normal_initializer": "it is initializers.RandomNormal(mean, stddev, seed)",
    "random_uniform_initializer": "it is initializers.RandomUniform(minval, maxval, seed)",
    "truncated_normal_initializer": "it is initializers.TruncatedNormal(mean, stddev, seed)",
    "xavier_normal_": "it is initializers.GlorotNormal(seed)",
    "xavier_uniform_": "it is initializers.GlorotUniform(seed)",
    "zeros_initializer": "it is initializers.Zeros()",
}

#: What PyTorch has in ``torch.nn``.
NN: dict[str, str] = {
    "BatchNorm1d": "it is layers.BatchNormalization, or x * scale + offset with two Parameters",
    "Conv1d": "it is unroll.ops.conv; layers.Conv1D has the channels last",
    "Conv2d": "it is unroll.ops.conv; layers.Conv2D has the channels last",
    "Dropout": "a traced graph infers, where it does nothing: leave it out",
    "Flatten": "it is unroll.ops.reshape(x, [0, -1])",
    "LayerNorm": "it is unroll.ops.layer_normalization(x, scale, bias), or layers.LayerNormalization",
    "Module": "call modules on tensors in a function, y = lstm(x)[0], and unroll.Graph([x], y); nothing is subclassed",
    "ModuleList": "a Python list of modules does",
    "MultiheadAttention": "it is layers.MultiHeadAttention, or softmax(q @ k) @ v of unroll.ops",
    "Parameter": "it is unroll.Parameter(array, name)",
    "ReLU": "it is unroll.ops.relu",
    "Sequential": "call modules one after the other, or use layers.Sequential of layers",
    "Sigmoid": "it is unroll.ops.sigmoid",
    "Softmax": "it is unroll.ops.softmax",
    "Tanh": "it is unroll.ops.tanh",
    "functional": "its functions are in unroll.ops",
    "init": "it is with unroll.scope(name, initializer=...)",
    "utils": "packed sequences are lengths: lstm(x, lengths=...)",
}

#: What TensorFlow 1 has among its cells.
CELLS: dict[str, str] = {
    "BidirectionalGridLSTMCell": "cells over frequencies are not here",
    "GRUBlockCell": "it is GRUCell, under the name 'gru_cell'",
    "GRUBlockCellV2": "it is GRUCell, under the name 'gru_cell'",
    "GridLSTMCell": "cells over frequencies are not here",
    "HighwayWrapper": "write it: a class of your own around a cell, a subclass of RNNCell",
    "LSTMBlockCell": "it is LSTMCell, under the name 'lstm_cell'",
    "LSTMBlockFusedCell": "it is LSTMCell, under the name 'lstm_cell'",
    "LSTMBlockWrapper": "it is LSTMCell, under the name 'lstm_cell'",
    "TimeFreqLSTMCell": "cells over frequencies are not here",
}

#: What TensorFlow 1 has in ``tf.contrib.seq2seq``.
SEQ2SEQ: dict[str, str] = {
    "BahdanauMonotonicAttention": "attention that is monotonic is not here",
    "BeamSearchDecoder": "search in NumPy over single steps; decoding here is greedy",
    "CustomHelper": "write a class with initialize, sample and next_inputs, as TrainingHelper has them",
    "LuongMonotonicAttention": "attention that is monotonic is not here",
    "SampleEmbeddingHelper": "run a step at a time, and draw from what it gives with NumPy",
    "ScheduledEmbeddingTrainingHelper": "it acts in training only: TrainingHelper is what it is without",
    "ScheduledOutputTrainingHelper": "it acts in training only: TrainingHelper is what it is without",
    "gather_tree": "search in NumPy over single steps; decoding here is greedy",
    "tile_batch": "search in NumPy over single steps; decoding here is greedy",
}
