"""Docstrings say what comes back and what is raised.

The sources are read with `ast`; nothing is imported. A function is public where no part of its path begins with one
underscore; special methods such as `__call__` count, and a constructor is documented by its class.

- **Raises.** Each error class that the body of a public function raises stands under `Raises:` in its docstring. A method that
  has no docstring, or none with `Raises:`, is documented by the method it overrides, or by its class where it is special.
  Exempt are `NotImplementedError`, which says that a subclass must define the method, `Operator.evaluate` and what overrides
  it, whose errors reach the user as `EvaluationError`, and `__getattr__`, which raises what Python asks for.
- **Real names.** What stands under `Raises:` before a colon are names of error classes that there are.
- **Returns.** A function that a face hands out (`unroll`, `unroll.cells`, `unroll.layers`, `unroll.nn`, `unroll.ops`) and that
  returns a value has `Returns:` or `Yields:`; so has a method of a class that a face hands out, where it has `Args:`. Other
  methods may say it before the sections: "Return ...", "Say whether ...". Properties are named after what they give.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

REPOSITORY = next(folder for folder in Path(__file__).resolve().parents if (folder / "pyproject.toml").is_file())
#: Folders of the package, and what each is imported as.
PACKAGES = {"unroll": "unroll", "export": "unroll.export", "viz": "unroll.viz"}
FACES = ("unroll", "unroll.cells", "unroll.layers", "unroll.nn", "unroll.ops")
SECTIONS = ("Args", "Attributes", "Example", "Raises", "Returns", "Warns", "Yields")
SAID_FIRST = ("Return", "Say", "Yield")
#: What is raised in them never reaches the user as it is: Python, tracing or the evaluator says something else.
EXEMPT = ("__getattr__", "evaluate", "evaluate_wide")


@dataclass(frozen=True)
class Function:
    """A function or method, the module it stands in, and its class."""

    module: str
    node: ast.FunctionDef
    within: ast.ClassDef | None

    @property
    def name(self) -> str:
        """Its name for messages, with its module and class."""
        return ".".join([self.module, *([self.within.name] if self.within else []), self.node.name])

    @property
    def special(self) -> bool:
        """Whether Python calls it by a special name."""
        return self.node.name.startswith("__")

    @property
    def decorators(self) -> str:
        """Its decorators, as text."""
        return " ".join(map(ast.unparse, self.node.decorator_list))

    @property
    def is_property(self) -> bool:
        """Whether it is an attribute to users, said as a noun: a property, or what a layer's own attribute may replace."""
        return "property" in self.decorators or "_unless_set" in self.decorators


@dataclass(frozen=True)
class Sources:
    """Parsed files, by the module each is imported as."""

    modules: dict[str, ast.Module]

    def functions(self) -> Iterator[Function]:
        """Every public function and method."""
        for module, tree in self.modules.items():
            yield from _functions(module, tree.body, None)

    def classes(self) -> Iterator[tuple[str, ast.ClassDef]]:
        """Every class, with its module."""
        for module, tree in self.modules.items():
            yield from ((module, node) for node in ast.walk(tree) if isinstance(node, ast.ClassDef))

    @cached_property
    def errors(self) -> dict[str, set[str]]:
        """Every error class by name, with the names of the classes that it is."""
        found = {
            name: {base.__name__ for base in thing.__mro__}
            for name, thing in vars(builtins).items()
            if isinstance(thing, type) and issubclass(thing, Exception)
        }
        waiting = {node.name: node for _, node in self.classes()}
        while known := [
            name
            for name, node in waiting.items()
            if any(isinstance(base, ast.Name) and base.id in found for base in node.bases)
        ]:
            for name in known:
                bases = [base.id for base in waiting.pop(name).bases if isinstance(base, ast.Name)]
                found[name] = {name}.union(*(found.get(base, {base}) for base in bases))
        return found

    def overridden(self, function: Function) -> Iterator[Function]:
        """The methods of the same name in the classes that a method's class is derived from, nearest first."""
        for module, node in self.bases(function.module, function.within):
            methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
            yield from (Function(module, item, node) for item in methods if item.name == function.node.name)

    def bases(self, module: str, node: ast.ClassDef | None) -> Iterator[tuple[str, ast.ClassDef]]:
        """The classes of the package that a class is derived from, nearest first, each with its module."""
        waiting = [(module, base) for base in (node.bases if node else ())]
        while waiting:
            module, base = waiting.pop(0)
            for home, found in self._resolved(module, base.id) if isinstance(base, ast.Name) else ():
                if isinstance(found, ast.ClassDef):
                    yield home, found
                    waiting += [(home, item) for item in found.bases]

    def handed_out(self, face: str) -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef]]:
        """The functions and classes in `__all__` of a face, each with its module."""
        listed = next(
            ast.literal_eval(node.value)
            for node in self.modules[face].body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        )
        for name in listed:
            yield from self._resolved(face, name)

    def _resolved(self, module: str, name: str) -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef]]:
        tree = self.modules[module]
        branches = [node.body for node in tree.body if isinstance(node, ast.If)]  # the front's, for type checkers
        for node in (*tree.body, *(node for branch in branches for node in branch)):
            if isinstance(node, ast.ImportFrom) and node.module in self.modules and node.module != module:
                for item in node.names:
                    if (item.asname or item.name) == name:
                        yield from self._resolved(node.module, item.name)
        for item in tree.body:
            if isinstance(item, (ast.FunctionDef, ast.ClassDef)) and item.name == name and not _is_overload(item):
                yield module, item


def _functions(module: str, body: list[ast.stmt], within: ast.ClassDef | None) -> Iterator[Function]:
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _functions(module, node.body, node)
        elif isinstance(node, ast.FunctionDef) and re.match(r"__|[^_]", node.name) and not _is_overload(node):
            yield Function(module, node, within)


def _is_overload(node: ast.FunctionDef | ast.ClassDef) -> bool:
    return any(ast.unparse(item) == "overload" for item in node.decorator_list)


@cache
def repository() -> Sources:
    """The files of the package."""
    modules = {}
    for folder, imported_as in PACKAGES.items():
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            parts = path.relative_to(REPOSITORY / folder).with_suffix("").parts
            name = ".".join([imported_as, *parts]).removesuffix(".__init__")
            modules[name] = ast.parse(path.read_text(encoding="utf-8"))
    return Sources(modules)


def synthetic(text: str) -> Sources:
    """One made-up file that is a face."""
    return Sources({"face": ast.parse(text)})


def own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """What the body of a function consists of, without functions and classes within it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)


def sections(node: ast.FunctionDef | ast.ClassDef | None) -> dict[str, str]:
    """The sections of a docstring by title; what stands before them under the empty title."""
    found: dict[str, str] = {"": ""}
    title = ""
    for line in ((ast.get_docstring(node) if node else None) or "").splitlines():
        if line.endswith(":") and line[:-1] in SECTIONS:
            title = line[:-1]
            found[title] = ""
        else:
            found[title] += f"{line}\n"
    return found


def names_listed(text: str) -> set[str]:
    """The names that a `Raises:` section lists: before the colon of each entry, parted by commas."""
    entries = re.findall(r"^    (\w[\w, ]*):", text, re.MULTILINE)
    return {name.strip() for entry in entries for name in entry.split(",")}


def classes_raised(function: ast.FunctionDef) -> set[str]:
    """The error classes that a body raises by name."""
    calls = [node.exc for node in own_nodes(function) if isinstance(node, ast.Raise)]
    called = [call.func if isinstance(call, ast.Call) else call for call in calls]
    return {item.id for item in called if isinstance(item, ast.Name) and item.id[0].isupper()}


def raises_of(sources: Sources, function: Function) -> str:
    """The `Raises:` section that documents a function."""
    documented = [function.node, *(other.node for other in sources.overridden(function))]
    texts = [sections(node).get("Raises", "") for node in documented]
    if function.special:
        texts.append(sections(function.within).get("Raises", ""))
    return next(filter(None, texts), "")


def unsaid_errors(sources: Sources) -> list[str]:
    """What public functions raise and do not say."""
    kinds = sources.errors
    found = []
    for function in sources.functions():
        raised = {name for name in classes_raised(function.node) - {"NotImplementedError"} if name in kinds}
        if not raised or function.node.name in EXEMPT:
            continue
        said = names_listed(raises_of(sources, function))
        unsaid = sorted(name for name in raised if not kinds[name] & said)
        if unsaid:
            found.append(f"{function.name} raises {', '.join(unsaid)}, and its Raises section does not say so")
    return found


def unreal_errors(sources: Sources) -> list[str]:
    """Names under `Raises:` that are no error classes."""
    kinds = sources.errors
    documented: list[tuple[str, ast.FunctionDef | ast.ClassDef]] = [
        (item.name, item.node) for item in sources.functions()
    ]
    documented += [(f"{module}.{node.name}", node) for module, node in sources.classes()]
    return [
        f"{where}: {name} is no error class"
        for where, node in documented
        for name in sorted(names_listed(sections(node).get("Raises", "")) - kinds.keys())
    ]


def gives_a_value(function: ast.FunctionDef) -> bool:
    """Whether a function returns or yields something but None."""
    for node in own_nodes(function):
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if isinstance(node, ast.Return) and not (
            node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None)
        ):
            return True
    return False


def unsaid_values(sources: Sources, faces: tuple[str, ...]) -> list[str]:
    """Functions and methods within reach of a face that return a value and do not say which."""
    reached = dict.fromkeys(item for face in faces for item in sources.handed_out(face))
    for module, node in list(reached):
        if isinstance(node, ast.ClassDef):
            reached |= dict.fromkeys(sources.bases(module, node))
    found = []
    for module, node in reached:
        if isinstance(node, ast.FunctionDef):
            function = Function(module, node, None)
            if gives_a_value(node) and not {"Returns", "Yields"} & sections(node).keys():
                found.append(f"{function.name} returns a value and has no Returns section")
            continue
        for method in _functions(module, node.body, node):
            if method.special or method.is_property or not gives_a_value(method.node):
                continue
            said = sections(method.node)
            if not any(said.values()):
                if not any(any(sections(other.node).values()) for other in sources.overridden(method)):
                    found.append(f"{method.name} has no docstring")
            elif {"Returns", "Yields"} & said.keys():
                continue
            elif "Args" in said or not re.search(rf"\b({'|'.join(SAID_FIRST)})\b|\breturn", said[""]):
                found.append(f"{method.name} returns a value and does not say which")
    return sorted(found)


@pytest.mark.slow
def test_what_is_raised_is_said() -> None:
    assert unsaid_errors(repository()) == []


@pytest.mark.slow
def test_what_is_said_to_be_raised_is_an_error_class() -> None:
    assert unreal_errors(repository()) == []


@pytest.mark.slow
def test_what_is_returned_is_said() -> None:
    assert unsaid_values(repository(), FACES) == []


@pytest.mark.slow
def test_everything_public_is_read() -> None:
    names = {function.name for function in repository().functions()}
    assert {"unroll.tensor.Tensor.__eq__", "unroll.drivers.static.static_rnn", "unroll.viz.drawing.draw"} <= names
    handed_out = {node.name for face in FACES for _, node in repository().handed_out(face)}
    assert {"Graph", "static_rnn", "GRUCell", "Sequential", "concat", "verify", "draw"} <= handed_out


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ('"""Do it."""\n    raise ValueError("no")', "raises ValueError"),
        (
            '"""Do it.\n\n    Raises:\n        TypeError: never.\n    """\n    raise ValueError("no")',
            "raises ValueError",
        ),
        ('"""Do it.\n\n    Raises:\n        Exception: always.\n    """\n    raise ValueError("no")', ""),
        ('"""Do it.\n\n    Raises:\n        TypeError, ValueError: always.\n    """\n    raise ValueError("no")', ""),
        ('"""Do it."""\n    raise NotImplementedError', ""),
        ('"""Do it."""\n\n    def inner():\n        raise ValueError("no")', ""),
    ],
)
def test_an_error_that_is_not_said_is_found(body: str, complaint: str) -> None:
    found = unsaid_errors(synthetic(f"def f():\n    {body}\n"))
    assert complaint in found[0] if complaint else found == []


def test_a_method_is_documented_by_the_one_it_overrides() -> None:
    base = (
        'class A:\n    def f(self):\n        """Do it.{}"""\n\n'
        'class B(A):\n    def f(self):\n        raise ValueError("no")\n'
    )
    assert "B.f raises ValueError" in unsaid_errors(synthetic(base.format("")))[0]
    said = "\n\n        Raises:\n            ValueError: always.\n        "
    assert unsaid_errors(synthetic(base.format(said))) == []


def test_an_error_class_that_there_is_not_is_found() -> None:
    text = 'def f():\n    """Do it.\n\n    Raises:\n        ShapeEror: never.\n    """\n'
    assert unreal_errors(synthetic(text)) == ["face.f: ShapeEror is no error class"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('def f():\n    """Return one."""\n    return 1\n', "f returns a value and has no Returns section"),
        ('def f():\n    """Do it.\n\n    Returns:\n        One.\n    """\n    return 1\n', ""),
        ('def f():\n    """Do it."""\n    return None\n', ""),
        (
            'class f:\n    def g(self):\n        """One."""\n        return 1\n',
            "f.g returns a value and does not say which",
        ),
        ('class f:\n    def g(self):\n        """Return one."""\n        return 1\n', ""),
        ("class f:\n    def g(self):\n        return 1\n", "f.g has no docstring"),
        (
            'class f:\n    def g(self, x):\n        """Return x.\n\n        Args:\n            x: it.'
            '\n        """\n        return x\n',
            "f.g returns a value and does not say which",
        ),
    ],
)
def test_a_value_that_is_not_said_is_found(text: str, complaint: str) -> None:
    found = unsaid_values(synthetic(f'__all__ = ["f"]\n{text}'), ("face",))
    assert complaint in found[0] if complaint else found == []
