"""Common parts of studies: parameters and experiments, claims with verdicts, pages, notebooks."""
