"""Which order of gates, and which forget bias, makes a cell give the outputs that are expected of it."""
