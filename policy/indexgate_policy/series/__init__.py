"""What a series of downloads tells: surges, drops, shifts of a mix, bursts of stars (science fl-1).

Everything here is causal: what is said of a day reads that day and earlier ones. The modules need
numpy; they are imported where they are used.
"""
