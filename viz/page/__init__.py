"""The page: one file that shows an unrolled network, its kernels, its formulas and its values at every timestep."""
