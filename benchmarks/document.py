"""A full-detail document of about 500 equations: time after imports, and memory.

python benchmarks/document.py        bounds: half a second, 200 MB
"""

from __future__ import annotations

import resource
import statistics
import sys
from typing import Any

from timing import seconds

import derive.api
from derive.solution.document import Equation

RUNS = 5


def problem() -> dict[str, Any]:
    """A 4-6-4-2 network, every parameter worked in full."""
    given = {"random": "uniform", "low": -1, "high": 1, "seed": 3}
    return {
        "title": "A long page",
        "inputs": {f"i{k}": 0.1 * k for k in range(1, 5)},
        "targets": {"o1": 0.2, "o2": 0.8},
        "layers": [
            {"dense": width, "activation": "sigmoid", "weights": given, "bias": given, "name": name}
            for width, name in ((6, "h"), (4, "g"), (2, "o"))
        ],
        "optimizer": {"sgd": {"learning-rate": 0.5}},
        "document": {"detail": "full", "decimals": 6},
    }


def main() -> None:
    """Print how long the whole way from the problem to each format takes."""
    data = problem()
    solution = derive.api.solve(data)
    equations = sum(isinstance(block, Equation) for block in solution.document.blocks)
    print(f"{equations} equations")
    for name in ("markdown", "latex", "text", "json"):
        spent = statistics.median(seconds(lambda n=name: derive.api.solve(data).to(n)) for _ in range(RUNS))
        print(f"{name:10} {spent:.3f} s   {1e3 * spent / equations:.2f} ms an equation")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    print(f"peak memory {peak:.0f} MB   (bound 200)")


if __name__ == "__main__":
    main()
