"""CPU of the operator's third ring: what each job of a large OU needs of the others, of names and of types.

    uv run python benchmarks/verdicts.py [--jobs 1000] [--policies 10]

One process, no cluster. Every policy reads a point of its own and writes one; all are in the OU's thing models. Prints
one JSON object as its last line: seconds of CPU to take in the jobs, to read the models, for all verdicts at first and
after one job has changed; and microseconds of a single verdict when nothing has.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import yaml

from streamjob_operator.catalogue import Catalogue
from streamjob_operator.validation import Runnable, found_models
from streamjob_operator.world import World

OU = "ou"
TEMPLATE = {"name": "time-window-aggregation", "version": "1.0"}
REPEATS = 20


def metadata(name: str, version: int) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": OU,
        "uid": name,
        "resourceVersion": str(version),
        "generation": version,
        "creationTimestamp": "2026-01-31T11:00:00Z",
    }


def job(number: int, policies: int, version: int = 1) -> dict[str, Any]:
    written = [
        {"input": f"M::in{point}", "aggregation": "max", "windowSize": "10m", "output": f"M::out{point}"}
        for point in range(number * policies, (number + 1) * policies)
    ]
    spec = {"template": TEMPLATE, "timeWindowAggregation": {"latency": f"{version}s", "policies": written}}
    return {"metadata": metadata(f"job-{number}", version), "spec": spec}


def resource() -> dict[str, Any]:
    spec = {
        "capacity": {"standalone": 2000},
        "libraries": [TEMPLATE],
        "kafka": {"bootstrapServers": "kafka:9092"},
        "models": {"configMap": "models"},
    }
    return {"metadata": metadata("energy", 1), "spec": spec}


def models(points: int) -> str:
    listed = [
        {"id": f"{role}{point}", "type": "AI", "dataType": "double"}
        for role in ("in", "out")
        for point in range(points)
    ]
    return yaml.safe_dump({"models": [{"id": "M", "points": listed}]})


def cpu(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def judge(world: World) -> None:
    refused = [each.key.name for each in world.jobs(OU) if not isinstance(world.verdict(each), Runnable)]
    if refused:
        raise SystemExit(f"refused, and should not be: {', '.join(refused[:5])}")


def judge_often(world: World) -> None:
    for _ in range(REPEATS):
        judge(world)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--policies", type=int, default=10)
    asked = parser.parse_args()
    world = World(Catalogue({("time-window-aggregation", "1.0"): "runtime"}))
    world.see_resource(resource())
    bodies = [job(number, asked.policies) for number in range(asked.jobs)]
    taken_in = cpu(lambda: [world.see_job(body) for body in bodies])
    data = {"models.yaml": models(asked.jobs * asked.policies)}
    read = cpu(lambda: world.verdicts.put_models(OU, found_models("models", data)))
    at_first = cpu(lambda: judge(world))
    world.see_job(job(0, asked.policies, version=2))
    after_a_change = cpu(lambda: judge(world))
    unchanged = cpu(lambda: judge_often(world))
    figures = {
        "jobs_taken_in": round(taken_in, 2),
        "models_read": round(read, 2),
        "all_at_first": round(at_first, 3),
        "all_after_a_change": round(after_a_change, 3),
        "one_unchanged_us": round(unchanged / REPEATS / asked.jobs * 1e6, 2),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
