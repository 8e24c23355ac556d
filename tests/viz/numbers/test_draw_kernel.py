"""`draw_kernel`: kernels to scale, with their blocks and their numbers."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from helpers import Array
from picture_networks import NETWORKS
from svg_reading import bitmaps, frames, hexadecimal, overlapping, texts

import unroll
from unroll.viz.dot_text import TIMES, text_width

BLUE, PAPER, BROWN, ORANGE = "#12507F", "#F7F6F3", "#8A4E12", "#D55E00"


def lstm(features: int = 28, units: int = 13) -> unroll.BasicLSTMCell:
    cell = unroll.BasicLSTMCell(units)
    unroll.static_rnn(cell, [unroll.placeholder([None, features], "x")])
    return cell


def only(shape: tuple[int, ...], place: tuple[int, ...], value: float = 1.0) -> Array:
    array = np.zeros(shape, "float32")
    array[place] = value
    return array


def test_a_kernel_is_drawn_to_scale_with_its_sizes_on_both_edges() -> None:
    svg = unroll.draw_kernel(lstm()).svg
    (wide, high), (bias, _) = frames(svg)[:2]
    assert wide / high == pytest.approx(52 / 41, rel=1e-3)
    assert bias == wide
    assert {"x 28", "h 13", "i 13", "j 13", "f 13", "o 13", "kernel (41, 52)", "bias (52,)"} <= set(texts(svg))


def test_kernels_of_one_picture_have_one_scale() -> None:
    cell = unroll.MultiRNNCell([unroll.GRUCell(6), unroll.GRUCell(2)])
    unroll.static_rnn(cell, [unroll.placeholder([None, 4], "x")])
    svg = unroll.draw_kernel(cell).svg
    shapes = {"(10, 12)": (10, 12), "(10, 6)": (10, 6), "(8, 4)": (8, 4), "(8, 2)": (8, 2)}
    assert all(any(shape in text for text in texts(svg)) for shape in shapes)
    scale = frames(svg)[0][0] / 12
    found = {(round(high / scale), round(wide / scale)) for wide, high in frames(svg)}
    assert set(shapes.values()) <= found


def test_numbers_are_colours_and_the_one_farthest_from_zero_is_marked() -> None:
    cell = lstm()
    cell.kernel.assign(only((41, 52), (30, 17), -2.0) + only((41, 52), (3, 4), 2.0))
    picture = unroll.draw_kernel(cell, values=True)
    kernel = bitmaps(picture.svg)[0].dots
    assert kernel.shape == (41, 52, 3)
    assert hexadecimal(kernel[30, 17]) == BROWN
    assert hexadecimal(kernel[3, 4]) == BLUE
    assert hexadecimal(kernel[0, 0]) == PAPER
    assert any("max |w| 2" in text for text in texts(picture.svg))
    assert len(frames(picture.svg)) == 4  # two weights, and a mark of two lines


def test_what_is_no_number_is_marked_and_counted() -> None:
    cell = lstm()
    kernel = np.ones((41, 52), "float32")
    kernel[1, 2], kernel[5, 6] = np.nan, np.inf
    cell.kernel.assign(kernel)
    picture = unroll.draw_kernel(cell, values=True)
    dots = bitmaps(picture.svg)[0].dots
    assert [hexadecimal(dots[place]) for place in ((1, 2), (5, 6))] == [ORANGE] * 2
    assert sum(hexadecimal(dot) == ORANGE for row in dots for dot in row) == 2
    assert "2 of 2,184 numbers are NaN or infinite, in orange" in picture.notes


def test_weights_that_are_stored_with_gates_down_are_drawn_with_gates_across() -> None:
    module = unroll.nn.LSTM(4, 3)
    module.weight_ih_l0.assign(only((12, 4), (5, 2)))
    svg = unroll.draw_kernel(module, values=True).svg
    dots = bitmaps(svg)[0].dots
    assert dots.shape == (4, 12, 3)
    assert hexadecimal(dots[2, 5]) == BLUE
    assert "weight_ih_l0 (12, 4) transposed   max |w| 1" in texts(svg)


def test_the_window_of_a_convolution_is_one_sheet_or_all_its_matrices() -> None:
    graph = NETWORKS["layers ConvLSTM2D"]()
    blank, full = unroll.draw_kernel(graph), unroll.draw_kernel(graph, values=True)
    scale = frames(blank.svg)[0][0] / 8
    assert [round(wide / scale) for wide, _ in frames(blank.svg)] == [8, 8, 8]
    assert [item.dots.shape[:2] for item in bitmaps(full.svg)[:3]] == [(3 * 1, 3 * 8), (3 * 2, 3 * 8), (1, 8)]
    kernel = graph.parameters["sequential/conv_lstm2d/conv_lstm_cell/recurrent_kernel"]
    kernel.assign(only((3, 3, 2, 8), (1, 2, 0, 5)))
    dots = bitmaps(unroll.draw_kernel(graph, values=True).svg)[1].dots
    assert hexadecimal(dots[1 * 2 + 0, 2 * 8 + 5]) == BLUE


def test_the_weights_of_an_onnx_lstm_are_drawn_by_gate() -> None:
    svg = unroll.draw_kernel(NETWORKS["torch file LSTM"]()).svg
    assert {"W (1, 16, 3) transposed", "R (1, 16, 4) transposed", "x 3", "h 4", "i 4", "o 4", "f 4", "c 4"} <= set(
        texts(svg)
    )


def test_a_large_kernel_is_drawn_by_means_that_keep_to_its_blocks() -> None:
    cell = lstm(100, 500)
    kernel = np.zeros((600, 2000), "float32")
    kernel[:, 500:1000] = 1.0
    kernel[7, 1500] = -9.0
    cell.kernel.assign(kernel)
    begin = time.perf_counter()
    picture = unroll.draw_kernel(cell, values=True)
    assert time.perf_counter() - begin < 2
    dots = bitmaps(picture.svg)[0].dots
    assert dots.shape[0] < 600
    assert dots.shape[1] < 2000
    colours = [hexadecimal(dot) for dot in dots[-1]]
    changes = [place for place in range(1, len(colours)) if colours[place] != colours[place - 1]]
    assert changes == [len(colours) // 4, len(colours) // 2]
    assert any(note.startswith(f"each dot is the mean of up to 9 {TIMES} 9") for note in picture.notes)
    assert any("max |w| 9" in text for text in texts(picture.svg))
    assert len(picture.svg) < 100_000


@pytest.mark.parametrize("name", NETWORKS)
def test_no_label_of_any_network_stands_on_another(name: str) -> None:
    graph = NETWORKS[name]()
    if not any(item.rank > 1 for item in graph.parameters.values()):
        with pytest.raises(unroll.UnrollError, match="no weights to draw"):
            unroll.draw_kernel(graph)
        return
    for values in (False, True):
        svg = unroll.draw_kernel(graph, values=values).svg
        assert overlapping(svg, lambda text, size, bold: text_width(text, size, bold, None)) == []


def test_names_of_any_length_and_signs_stay_text_on_a_sheet_of_any_size(tmp_path: Path) -> None:
    name = "<script>]]>&amp;" + chr(92) * 2 + '"' + chr(92) + "N" + "n" * 10_000  # two backslashes and one, too
    cell = unroll.BasicRNNCell(2, name=name)
    unroll.static_rnn(cell, [unroll.placeholder([None, 3], "x")])
    for suffix in ("svg", "png", "pdf"):
        picture = unroll.draw_kernel(cell, tmp_path / f"k.{suffix}", values=True)
    assert "<script" not in picture.svg
    assert len(picture.svg) < 20_000
    assert frames(picture.svg)


def test_one_cell_is_drawn_by_its_name(tmp_path: Path) -> None:
    graph = NETWORKS["both ways"]()
    svg = unroll.draw_kernel(graph, cell="fw/basic_lstm_cell").svg
    assert [text for text in texts(svg) if "basic_lstm_cell" in text] == ["bidirectional_rnn/fw/basic_lstm_cell"]
    with pytest.raises(unroll.UnrollError, match="no cell is called 'nobody'; there are bidirectional_rnn/fw/"):
        unroll.draw_kernel(graph, cell="nobody")


def test_it_is_written_as_svg_png_and_pdf(tmp_path: Path) -> None:
    cell = lstm()
    for suffix, head in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        picture = unroll.draw_kernel(cell, tmp_path / f"k.{suffix}", values=True)
        assert (tmp_path / f"k.{suffix}").read_bytes().startswith(head)
    assert picture._repr_mimebundle_()["image/svg+xml"] == picture.svg
    with pytest.raises(unroll.UnrollError, match=r"draw_kernel: format '.dot' is unknown; use .svg, .png or .pdf"):
        unroll.draw_kernel(cell, tmp_path / "k.dot")


def test_what_has_no_weights_is_refused() -> None:
    with pytest.raises(unroll.UnrollError, match="draw_kernel: gru_cell has no weights yet"):
        unroll.draw_kernel(unroll.GRUCell(2))
    with pytest.raises(unroll.UnrollError, match="draw_kernel: a Graph, cell, layer or module is wanted, not 3"):
        unroll.draw_kernel(3)
