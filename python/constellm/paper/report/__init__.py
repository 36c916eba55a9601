"""What studies share: parameters and experiments, claims with verdicts, pages, notebooks."""
