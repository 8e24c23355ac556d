"""Which of ONNX's recurrent operators a pattern is: its normal form, the cell it is recognised as, and the proof of that."""
