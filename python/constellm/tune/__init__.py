"""Federated fine-tuning over satellites."""

from .partitions import Partition, partition
