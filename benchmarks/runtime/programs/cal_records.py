"""Results as the records of the contract, for programs that make them one by one."""

from collections.abc import Sequence

from benchmarks.runtime.contestant import MODEL, POINTS

_KINDS = tuple(POINTS.items())


def records(org_id: str, asset: str, start_ms: int, values: Sequence[float]) -> list[bytes]:
    """The records of one closed window; values in the order of ``POINTS``."""
    head = f'{{"orgId":"{org_id}","modelId":"{MODEL}","modelIdPath":"/{MODEL}","assetId":"{asset}","pointId":"'
    return [
        (
            f'{head}{point}","time":{start_ms},"value":{value},"quality":0,'
            f'"attr":{{"windowAggregator":{{"calType":"{kind}","calMode":"final"}}}}}}'
        ).encode()
        for (kind, point), value in zip(_KINDS, values, strict=True)
    ]
