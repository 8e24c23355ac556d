"""The equations of a graph: what one step of each cell computes, in text, LaTeX and HTML, with or without numbers."""
