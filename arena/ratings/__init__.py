"""Ratings out of battles: the mathematics, apart from files. Arrays in, arrays out; each formula with its source."""
