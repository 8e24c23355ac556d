"""HDF5 files as Keras writes them: arrays in groups, read as data that anybody may have made, and written."""
