"""Finding what repeats: chains, the pattern of one step, and every step held against it."""
