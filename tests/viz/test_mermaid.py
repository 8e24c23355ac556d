"""A picture as Mermaid text: what is drawn is there, and names of users are text and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from picture_networks import NETWORKS

import unroll
from unroll import ops
from unroll.errors import ArgumentError

_BOX = re.compile(r' {4}n\d+(\["|\(\["|\(\("|\[/")([^"]*)("\]|"\]\)|"\)\)|"/\])')
_ARROW = re.compile(r' {4}n\d+ (-->|==>|-\.->)(\|"[^"]*"\|)? n\d+')


def _mermaid(graph: unroll.Graph, **options: object) -> list[str]:
    return unroll.draw(graph, format="mmd", **options).data.decode("utf-8").splitlines()  # type: ignore[arg-type]


@pytest.mark.parametrize("level", ["cell", "layer"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_a_flowchart_of_boxes_and_arrows(name: str, level: str) -> None:
    first, *lines = _mermaid(NETWORKS[name](), level=level)
    assert first == "flowchart LR"
    assert all(_BOX.fullmatch(line) or _ARROW.fullmatch(line) for line in lines)
    boxes = [line.split("(")[0].split("[")[0].strip() for line in lines if _BOX.fullmatch(line)]
    ends = {
        end for line in lines if _ARROW.fullmatch(line) for end in re.findall(r"\bn\d+\b", re.sub(r'"[^"]*"', "", line))
    }
    assert len(set(boxes)) == len(boxes)
    assert ends <= set(boxes)


def test_cells_states_and_weights_are_told_apart() -> None:
    lines = _mermaid(NETWORKS["GRU"]())
    cells = [re.match(r' +(n\d+)\["gru_cell<br/>6 units<br/>r u c"\]', line) for line in lines]
    first, second = [cell[1] for cell in cells if cell][:2]
    assert f'    {first} ==>|"h (batch, 6)"| {second}' in lines
    weights = next(line for line in lines if "gates/kernel (10, 12)" in line)
    assert weights.startswith("    n") and '[/"' in weights
    assert f"    {weights.split('[')[0].strip()} -.-> {first}" in lines


def test_hostile_names_are_text() -> None:
    name = '"] --> x["<script>alert(1)</script>`**b**` #35; %% ```'
    x = unroll.placeholder([2], name)
    graph = unroll.Graph([x], {"end": ops.tanh(x), "click n0 href": ops.exp(x)})
    for level in ("cell", "layer"):
        text = "\n".join(_mermaid(graph, level=level, title='a "title" < b: c\n---\n```'))
        body = text.split("---\n", 2)[2]
        for piece in ("<script", "`", "**", "%%", "--> x"):
            assert piece not in body
        assert "#96;" in body and "#60;" in body
        assert text.splitlines()[:3] == ["---", 'title: "a \\"title\\" \u2039 b: c\\\\n---\\\\n```"', "---"]


def test_direction_and_file(tmp_path: Path) -> None:
    graph = NETWORKS["GRU"]()
    picture = unroll.draw(graph, tmp_path / "net.mmd", level="layer", direction="up")
    assert (tmp_path / "net.mmd").read_bytes() == picture.data
    assert picture.data.startswith(b"flowchart BT\n")
    picture.save(tmp_path / "net.svg")
    assert (tmp_path / "net.svg").read_bytes() == unroll.draw(graph, level="layer", direction="up").data
    with pytest.raises(ArgumentError, match=r"this picture is svg; draw\(graph, 'net.mmd'\)"):
        unroll.draw(graph).save(tmp_path / "other.mmd")
