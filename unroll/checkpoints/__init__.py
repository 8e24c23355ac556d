"""Variables in TensorFlow's checkpoints: their bytes, and nothing of the programs that wrote them."""
