"""``tf.train``: variables restored from TensorFlow's checkpoints and saved as ``.npz``; nothing trains here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from unroll import parameter_files
from unroll.checkpoints.reading import Checkpoint, latest_checkpoint
from unroll.errors import ArgumentError, ArgumentTypeError, NameNotFoundError, UnsupportedError
from unroll.files import as_path
from unroll.tf1.names import TRAINS
from unroll.tf1.signatures import takes
from unroll.tf1.variables import Variable, get_variable, global_variables
from unroll.words import closest, spelled_methods

_SAVER = (
    "self, var_list=None, reshape=False, sharded=False, max_to_keep=5, keep_checkpoint_every_n_hours=10000.0, name=None, "
    "restore_sequentially=False, saver_def=None, builder=None, defer_build=False, allow_empty=False, write_version=2, "
    "pad_step_number=False, save_relative_paths=False, filename=None"
)


@spelled_methods
class Saver:
    """Restores variables from a checkpoint of TensorFlow's, or a ``.npz`` file, and saves them as one.

    Raises:
        ArgumentError: there are no variables.
        ArgumentTypeError: `var_list` holds something else.
    """

    @takes("train.Saver", _SAVER)
    def __init__(self, var_list: Any) -> None:
        found: Any = global_variables() if var_list is None else var_list
        is_named = isinstance(found, dict)
        listed = [*found.values()] if is_named else found
        if not isinstance(listed, (list, tuple)) or not all(isinstance(item, Variable) for item in listed):
            raise ArgumentTypeError(f"train.Saver: var_list is {found!r}; a list of variables, or a dict, is wanted")
        #: The variables, by their names in the file.
        self.variables: dict[str, Variable] = found if is_named else {item.op.name: item for item in found}
        if not self.variables:
            raise ArgumentError("No variables to save: make the Saver after the variables")

    def restore(self, sess: Any, save_path: Any) -> None:
        """Give the variables in a session what a checkpoint holds.

        Raises:
            NameNotFoundError: it lacks a variable.
            ShapeError: one has another shape.
        """
        path = as_path(save_path, "restore")
        ours = path if path.suffix == ".npz" else Path(f"{path}.npz")
        if ours.is_file() and not Path(f"{path}.index").is_file():
            every = parameter_files.load(ours)
            lacking = next((name for name in self.variables if name not in every), None)
            if lacking is not None:
                raise NameNotFoundError(f"Key {lacking} not found in {path}; {closest(lacking, every)}")
        else:
            every = Checkpoint(path).arrays(self.variables)
        pairs = [(variable, variable.core.cast(every[name])) for name, variable in self.variables.items()]
        sess.values |= {variable.core: array for variable, array in pairs}

    def save(self, sess: Any, save_path: Any, global_step: Any = None, *unused: Any, **more: Any) -> str:
        """Write what the variables hold in a session to ``<path>.npz``, and return the path, which `restore` takes."""
        step = sess.run(global_step) if hasattr(global_step, "core") else global_step
        prefix = str(as_path(save_path, "save")) + ("" if step is None else f"-{step}")
        held = {name: sess.run(variable) for name, variable in self.variables.items()}
        parameter_files.save(held, f"{prefix.removesuffix('.npz')}.npz")
        return prefix


class Optimizer:
    """An optimizer, which trains nothing here: `minimize` says how to bring trained weights."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.arguments = (args, kwargs)

    def minimize(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse to train.

        Raises:
            UnsupportedError: always.
        """
        raise UnsupportedError(f"{type(self).__name__}.minimize: {TRAINS}")

    compute_gradients = apply_gradients = minimize


def get_or_create_global_step(graph: Any = None) -> Variable:
    """Return the variable ``global_step``."""
    found = [item for item in global_variables() if item.name == "global_step:0"]
    return found[0] if found else get_variable("global_step", initializer=0, dtype="int64", trainable=False)


_OPTIMIZERS = "Adadelta Adagrad Adam Ftrl GradientDescent Momentum ProximalAdagrad ProximalGradientDescent RMSProp"
TABLE: dict[str, Callable[..., Any]] = {
    "Saver": Saver,
    "get_or_create_global_step": get_or_create_global_step,
    "latest_checkpoint": latest_checkpoint,
    **{f"{name}Optimizer": type(f"{name}Optimizer", (Optimizer,), {}) for name in _OPTIMIZERS.split()},
}
