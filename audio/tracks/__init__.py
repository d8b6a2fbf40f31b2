"""A track for each person: where tracks come from, where they belong in the mix, and whose sound is on them."""
