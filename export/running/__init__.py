"""Running a model in onnxruntime: once, on many sequences, in place, and how it is set up."""
