"""Federated fine-tuning over satellites."""

from .clients import ClientError, Task
from .federated import federate
from .federated_run import FederatedRun
from .head_task import HeadTask
from .partitions import Partition, partition
from .schemes import Asynchronous, Buffered, Synchronous
from .timing import Computing, ConstantTiming, ContactTiming, Passage, Timing
