"""What conditions of stages may ask of a record: ``${record::value}``, ``${last::value}``, and ``${model::point}``."""

from collections.abc import Iterator, Mapping

from streamjob_api.calculators.flow import Flow
from streamjob_api.data_types import ValueType
from streamjob_api.expressions import Expression, value_type
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault
from streamjob_api.suggestions import did_you_mean

# What an expression may ask of a record, as ``${record::...}``.
RECORD = "record"
RECORD_FIELDS: Mapping[str, ValueType] = {
    "value": ValueType.DOUBLE,
    "text": ValueType.TEXT,
    "time": ValueType.INT,
    "assetId": ValueType.TEXT,
    "modelId": ValueType.TEXT,
    "pointId": ValueType.TEXT,
    "quality": ValueType.INT,
    "dq": ValueType.INT,
}
# Of the record that a stage keeps of the same series, as ``${last::...}``.
LAST = "last"
LAST_FIELDS: Mapping[str, ValueType] = {
    "value": ValueType.DOUBLE,
    "text": ValueType.TEXT,
    "time": ValueType.INT,
}


_NO_TEXTS = "; for texts and truth values, compare ${record::text}"


def condition_faults(condition: Expression, path: str, *, has_last: bool = False) -> Iterator[RuleFault]:
    """Yield what is wrong with a condition: names of fields that there are not, and what is not true or false."""
    known = {RECORD: RECORD_FIELDS} | ({LAST: LAST_FIELDS} if has_last else {})
    types: dict[PointRef, ValueType | None] = {}
    for ref in sorted(condition.variables):
        fields = known.get(ref.model)
        if fields is not None and ref.point not in fields:
            nearest = did_you_mean(ref.point, fields)
            message = f"a record has no field '{ref.point}'{nearest or '; it has ' + ', '.join(fields)}"
            yield RuleFault(message, (path,))
        # A point is the number that its record has.
        types[ref] = fields.get(ref.point) if fields is not None else ValueType.DOUBLE
    checked = value_type(condition, types.get)
    remedy = _NO_TEXTS if checked.faults and _fits_texts(condition, types) else ""
    yield from (RuleFault(f"{fault}{remedy}", (path,)) for fault in checked.faults)
    if not checked.faults and checked.type is not ValueType.BOOLEAN:
        yield RuleFault("gives no true or false; compare something, as in ${record::value} > 0", (path,))


def never_coming(condition: Expression, coming: Flow, *path: str) -> Iterator[RuleFault]:
    """Yield a fault for each point of a condition that none of the records is of, if there are any."""
    if not coming.points:
        return
    for ref in sorted(condition.variables):
        if ref.model not in {RECORD, LAST} and coming.of(ref) is None:
            yield RuleFault(f"no record of '{ref}' comes, so that it is always missing; {coming.words}", path)


def _fits_texts(condition: Expression, types: Mapping[PointRef, ValueType | None]) -> bool:
    """Whether nothing would be wrong if values were not numbers alone."""
    others = {ref: None if kind is ValueType.DOUBLE else kind for ref, kind in types.items()}
    return not value_type(condition, others.get).faults
