"""What passes are built with: making nodes, rewriting a graph, asking about products, weights, cost and time."""
