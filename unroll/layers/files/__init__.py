"""Models and weights in Keras's files, ``.keras`` and ``.h5``, read as data and written."""
