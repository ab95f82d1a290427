"""Python evaluator: what a script of the user makes of records, in a process of its own."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import Field

from streamjob_api.calculators import Flow
from streamjob_api.data_types import ValueType
from streamjob_api.permissions import Permissions
from streamjob_api.points import PointRef
from streamjob_api.rule_faults import RuleFault, listed_twice
from streamjob_calculators.kit import Calculator, Run, pl

if TYPE_CHECKING:
    from streamjob_runtime.scripts.answers import Outcome
    from streamjob_runtime.scripts.process import Answer, ScriptProcess

ATTACHED = "pythonEvaluator"
MAX_SCRIPT = 16_384
# What a stage's records have that a script does not see.
_INNER = ("model_path", "arrival")


class ScriptMode(StrEnum):
    """What a script is called for."""

    BATCH = "batch"
    RECORD = "record"


_ARGUMENTS = {ScriptMode.BATCH: ("records",), ScriptMode.RECORD: ("records", "state", "output", "error")}


class PythonEvaluator(Calculator):
    """Gives what a script of yours makes of records; it runs only where the OU's StreamResource allows scripts.

    The script defines `evaluate(records)`, which gets the records of a micro-batch as a Polars DataFrame and returns
    one; in the mode `record`, it defines `evaluate(records, state, output, error)`, which is called for each asset with
    its records as a list, and with what it keeps of the asset. What it can and cannot do, and what becomes of records
    for which it fails, is on the page [Scripts](scripts.md). Records that it is given and does not reject are used up:
    nothing but what it gives goes on. `attr.pythonEvaluator` is a text, the JSON of the `attr` of a record that it
    wrote in the mode `record`.
    """

    inputs: list[PointRef] = Field(
        min_length=1, max_length=50, description="Points whose records it gets.", examples=[["Meter::A", "Meter::B"]]
    )
    output: PointRef | None = Field(default=None, description="The point that it gives.", examples=["Meter::C"])
    outputs: list[PointRef] = Field(
        default=[],
        max_length=50,
        description="The points that it gives, where they are several, in place of output.",
        examples=[["Meter::C", "Meter::D"]],
    )
    output_type: ValueType | None = Field(
        default=None,
        description="Type of the values that it gives: int, double, string or bool. Left out: that of the inputs.",
        examples=["double"],
    )
    mode: ScriptMode = Field(
        default=ScriptMode.BATCH,
        description="batch: it is called with the records of all assets at once; record: with those of one asset after "
        "the other, and their state.",
        examples=["batch"],
    )
    script: str = Field(
        min_length=1,
        max_length=MAX_SCRIPT,
        description="The text of a Python module that defines evaluate.",
        examples=[
            "import polars as pl\n\ndef evaluate(records):\n    return records.with_columns(pl.col('value') * 2)\n"
        ],
    )

    def faults(self) -> Iterator[RuleFault]:
        """The script can be run, and each point is named once."""
        yield from listed_twice("inputs", self.inputs)
        yield from listed_twice("outputs", self.outputs)
        if self.output is None and not self.outputs:
            yield RuleFault("required, but missing; name the point that the script gives", ("output",))
        if self.output is not None and self.outputs:
            yield RuleFault("output is given too; leave one of them out", ("outputs",))
        yield from (RuleFault(message, ("script",)) for message in _script_faults(self.script, self.mode))

    def check_allowed(self, allowed: Permissions) -> Iterator[RuleFault]:
        """Scripts are allowed."""
        if allowed.scripts is None:
            yield RuleFault("runs a script, which spec.pipelines.scripts does not allow; ask for it", ("script",))

    def takes(self) -> frozenset[PointRef]:
        """Return the inputs."""
        return frozenset(self.inputs)

    def gives(self, coming: Flow) -> Flow:
        """Return the outputs, each made of all inputs; of what was attached, nothing is left."""
        points = {point: made for output in self._outputs for point, made in self._made(coming, output).points.items()}
        attached = frozenset({ATTACHED} if self.mode is ScriptMode.RECORD else ())
        return replace(coming, points=points, is_open=False, attached=attached)

    def _made(self, coming: Flow, output: PointRef) -> Flow:
        return coming.made(output, self.output_type)

    @property
    def _outputs(self) -> list[PointRef]:
        return self.outputs or ([] if self.output is None else [self.output])

    def apply(self, records: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return what the script gives."""
        from streamjob_runtime.scripts.answers import BadAnswer, outcome  # noqa: PLC0415 (the operator reads parameters alone)

        process = self._process(run)
        if not records.height:
            return self._none(records)
        assets = records["asset"].unique(maintain_order=True)
        places = pl.DataFrame({"asset": assets}).with_row_index("place")
        rows = records.join(places, on="asset", how="left", maintain_order="left")
        if self.mode is ScriptMode.RECORD:
            rows = rows.sort("place", maintain_order=True)
        answer = self._asked(process, rows, places, run)
        try:
            if answer.fault is not None:
                raise BadAnswer(answer.fault)
            made = outcome(answer, rows.height, assets.len(), len(self._outputs))
        except BadAnswer as bad:
            if answer.fault is None:
                process.end()
            run.reject(records, str(bad))
            return self._none(records)
        _reject(made, rows, run)
        if self.mode is ScriptMode.RECORD:
            _keep(made, assets, run)
        return self._given(made.given, rows, run)

    def _process(self, run: Run) -> ScriptProcess:
        """Return the script's process.

        Raises:
            InvalidConfiguration: no script may run.
        """
        from streamjob_runtime.faults import InvalidConfiguration  # noqa: PLC0415 (the operator reads parameters alone)
        from streamjob_runtime.scripts.process import Setting, process_of  # noqa: PLC0415

        allowed = run.surroundings.allowed.scripts
        if allowed is None:
            raise InvalidConfiguration("a stage runs a script, which spec.pipelines.scripts does not allow; ask for it")
        outputs = tuple(map(str, self._outputs))
        return process_of(Setting(self.script, self.mode, outputs, allowed.max_seconds, allowed.max_memory))

    def _asked(self, process: ScriptProcess, rows: pl.DataFrame, places: pl.DataFrame, run: Run) -> Answer:
        if self.mode is ScriptMode.BATCH:
            texts = pl.col("text").str.json_decode(pl.String)
            seen = rows.with_columns(texts).drop(*_INNER, "place", "is_int")
            return process.ask({"assets": places["asset"].to_list()}, {"records": _as_arrow(seen)})
        lengths = rows.group_by("place", maintain_order=True).len()["len"].to_list()
        parts = {"records": _as_arrow(rows.drop(*_INNER, "place")), "states": _states(places, run)}
        return process.ask({"lengths": lengths}, parts)

    def _given(self, given: pl.DataFrame, rows: pl.DataFrame, run: Run) -> pl.DataFrame:
        """Return what the script gave as records."""
        of_assets = rows.unique("place", keep="first", maintain_order=True).sort("place")
        outputs = pl.Series(map(str, self._outputs), dtype=rows.schema["point"])
        made = given.with_columns(
            of_assets["asset"].gather(given["asset"]).alias("asset"),
            of_assets["model_path"].gather(given["asset"]).alias("model_path"),
            outputs.gather(given["point"]).alias("point"),
            value=pl.when(pl.col("text").is_null()).then("value"),
            arrival=pl.lit(None, pl.UInt32),
        ).rename({"attr": ATTACHED})
        there = made.filter(pl.col("value").is_not_null() | pl.col("text").is_not_null())
        if there.height < made.height:
            run.count("missing", made.height - there.height)
        return there.select(self._columns(rows))

    def _none(self, records: pl.DataFrame) -> pl.DataFrame:
        return records.clear().with_columns(pl.lit(None, pl.String).alias(ATTACHED)).select(self._columns(records))

    def _columns(self, records: pl.DataFrame) -> list[str]:
        """Return the columns of what is given: of what other stages attached, none."""
        from streamjob_runtime.templates.pipeline_results import RECORDS  # noqa: PLC0415 (the operator reads parameters alone)

        own = [name for name in records.columns if name in RECORDS]
        return [*own, ATTACHED] if self.mode is ScriptMode.RECORD else own


def _script_faults(script: str, mode: ScriptMode) -> Iterator[str]:
    """Yield why a script cannot be run, as far as its text tells."""
    try:
        with warnings.catch_warnings(action="ignore"):
            module = ast.parse(script)
    except SyntaxError as error:
        where = "" if error.lineno is None else f"line {error.lineno}: "
        yield f"{where}{error.msg}; mend the script"
        return
    except (ValueError, RecursionError, MemoryError) as error:
        yield f"Python cannot read it ({type(error).__name__}); write it simpler"
        return
    wanted = f"def evaluate({', '.join(_ARGUMENTS[mode])})"
    functions = [each for each in module.body if isinstance(each, ast.FunctionDef) and each.name == "evaluate"]
    if not functions:
        yield f"defines no evaluate; in the mode {mode} it has a function {wanted}"
    elif not _takes(functions[-1].args, len(_ARGUMENTS[mode])):
        line = functions[-1].lineno
        yield f"line {line}: evaluate has other arguments than the mode {mode} gives it; write {wanted}"


def _takes(arguments: ast.arguments, count: int) -> bool:
    """Tell whether a function can be called with so many arguments by their places."""
    named = len(arguments.posonlyargs) + len(arguments.args)
    needed = named - len(arguments.defaults)
    is_free = all(default is not None for default in arguments.kw_defaults)
    return is_free and needed <= count and (count <= named or arguments.vararg is not None)


def _as_arrow(frame: pl.DataFrame) -> bytes:
    from io import BytesIO  # noqa: PLC0415 (beside what needs columns)

    written = BytesIO()
    frame.with_columns(pl.col("point").cast(pl.String)).write_ipc_stream(written)
    return written.getvalue()


def _states(places: pl.DataFrame, run: Run) -> bytes:
    """Return what is kept of each asset, a line each, empty where nothing is."""
    kept = run.recall()
    if kept is None:
        return b"\n" * (places.height - 1)
    states = places.join(kept, on="asset", how="left", maintain_order="left")["state"]
    return "\n".join(states.fill_null("").to_list()).encode()


def _reject(made: Outcome, rows: pl.DataFrame, run: Run) -> None:
    from streamjob_runtime.scripts.answers import causes_of  # noqa: PLC0415 (the operator reads parameters alone)

    came = rows.drop("place")
    for cause, places in causes_of(made.failed, "asset").items():
        run.reject(came.filter(rows["place"].is_in(places)), cause)
    has_failed = rows["place"].is_in(made.failed["asset"])
    numbered = rows.with_row_index("row")
    for cause, places in causes_of(made.rejected, "row").items():
        run.reject(came.filter(numbered["row"].is_in(places) & ~has_failed), cause)


def _keep(made: Outcome, assets: pl.Series, run: Run) -> None:
    """Keep the states that are others now."""
    if made.states.is_empty():
        return
    changed = pl.DataFrame({"asset": assets.gather(made.states["asset"]), "state": made.states["state"]})
    kept = run.recall()
    if kept is not None:
        changed = pl.concat([kept.join(changed, on="asset", how="anti", maintain_order="left"), changed])
    run.keep(changed.filter(pl.col("state").is_not_null()))
