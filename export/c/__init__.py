"""A graph as C: one file without dependencies.

1. `settling`: sizes are put in, loops become Scans whose bodies have fixed sizes (`natives` opens recurrent operators), and
   operators that are made of others are written out (`composites`).
2. `lowering` walks the nodes and makes statements (`statements`): what every operator is in C is one entry, a scalar expression
   (`scalars`), a way of looking at the same numbers (`views`), a reduction (`reductions`), or a writer of its own (`products`,
   `loops`, `lookups`, `convolutions`). Elementwise chains stay expressions (`expressions`) until somebody needs their numbers.
   Weights held in fewer bits are narrowed as a node reads them (`narrowing`), and widened as C reads them (`widening`).
3. `writer` writes the statements, and `functions` what they call; `source` is what a user holds.
"""
