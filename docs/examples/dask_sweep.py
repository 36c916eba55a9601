"""A sweep on the workers of a Dask cluster."""

import numpy as np
from dask.distributed import Client, LocalCluster

import constellm as clm


def main() -> None:
    problem = clm.paper.collaborative.problem(relays=0)
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, Client(cluster) as client:
        found = clm.sweep.run(
            problem,
            rate_bps=np.geomspace(1e8, 1e9, 5),
            max_error=[0.5, 1.0],
            executor=client.get_executor(),
        )
    print(found.delay_s)


if __name__ == "__main__":  # the workers import this file, and must not start workers of their own
    main()
