"""Reading an ONNX file that anyone may have written."""
