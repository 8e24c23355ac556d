"""Pictures of a graph: units, boxes, places and lines, written as DOT and rendered by Graphviz."""
