"""Still pictures of numbers: kernels to scale, values over time, and what differs between two graphs."""
