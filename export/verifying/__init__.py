"""Comparing runners: who took part, what they are known to get wrong, how far they are apart."""
