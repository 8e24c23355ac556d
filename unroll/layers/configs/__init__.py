"""What layers are made with, as Keras's dictionaries: plain data that a file can hold, and layers made of it again.

A layer's constructor is the one place that says its arguments. `Recorded` keeps what it was called with; one module writes
each as Keras does, and one reads it back. Nothing here imports a module or runs code that a dictionary names: a class is one
of this package, or one that the user has given.
"""
