"""What docs/gallery.md says of the same networks in other viewers: each was opened in all three and looked at."""

from __future__ import annotations

TEXT = """
Six networks of the pages above, as flat ONNX files (`unroll.save(graph, path, form="unrolled")`), in Netron 9.3.3 and Model
Explorer 0.1.34 (with model-explorer-onnx 0.4.2), opened by the same browser, 1280 by 800, and looked at before anything
is clicked. Both show models of every kind, with all their attributes, and fold or search them; this page is made for
networks over time. How long each takes is in [benchmarks.md](benchmarks.md#pages).

**The rows of an image** (The first screen). Netron shows Reshape, Transpose, Reshape and a Split with 28 wires, most of them
beyond the screen; of a step one sees the first operators of t = 0. It writes a shape beside every wire, which this page says
of the wire that the pointer is on, and of chosen operators. Model Explorer opens the outer group and shows a fan so thin that
nothing can be read before zooming. Neither says how many steps, units or gates there are, or which order the gates have.

**Layers and directions.** Netron: the Split of one direction, and pieces of several steps among long wires. Model Explorer:
three boxes, Input, unroll and Output, which is tidy and says nothing until they are opened. The page has four rows of
cells; in its sentence of layers what only leads data on is a dot, for it would be longer than the screen.

**An encoder and a decoder.** Netron begins with source, Gather and Split, and is the clearest of its six: the first step can
be followed down. That there are two loops cannot be seen. Model Explorer shows three boxes again. The page shows both
loops on one axis; in its opened cell, with a mask on each state, gates have their names and no formulas, for want of room.

**Lengths.** Netron: a Split and six wires, nothing else on the screen. Model Explorer: two inputs, a box, two outputs. The
page hatches the steps beyond a row's length.

**A cell of one's own.** With four steps and 22 operators Netron's picture is good: every operator, every input and output,
and shapes beside all wires, where the page opens one step at a time; `unroll.draw(graph, level="op")` is its like here.
Model Explorer shows a box with four inputs and six outputs.

**A file of tf2onnx**, as tf2onnx wrote it. Netron shows the whole of the first step, and before it the six operators that
make its zero state; `unk__35` is the batch. Model Explorer shows a box with five inputs and seven outputs, for the names
in the file are one group to it. The page finds steps, cell, gates and their order in the same operators, and shows the
zero state as a zero.
"""
