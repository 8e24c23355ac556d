"""Proof that two graphs compute the same: by canonical form, and by numbers on feeds made to tell them apart."""
