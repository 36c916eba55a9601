"""The comparisons of the paper: each computes rows, and draws figures from rows alone."""
