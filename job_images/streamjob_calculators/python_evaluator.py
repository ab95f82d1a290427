"""Python evaluator: what a script of the user makes of records, in a process of its own."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence
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
    from streamjob_runtime.scripts.process import Answer, ScriptProcess, Setting

ATTACHED = "pythonEvaluator"
MAX_SCRIPT = 16_384
# Records of a call; as Python's objects, these are 10 MB.
_CALL = 20_000
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

    def keeps_state(self) -> bool:
        """Scripts of records have a state of each asset."""
        return self.mode is ScriptMode.RECORD

    def check_allowed(self, allowed: Permissions) -> Iterator[RuleFault]:
        """Scripts are allowed."""
        if allowed.scripts is None:
            yield RuleFault("runs a script, which spec.pipelines.scripts does not allow; ask for it", ("script",))

    def check_ready(self, allowed: Permissions) -> None:
        """The script's process can be confined here, and reads the script without a failure."""
        from streamjob_runtime.faults import InvalidConfiguration  # noqa: PLC0415 (the operator reads parameters alone)
        from streamjob_runtime.scripts.process import ScriptProcess  # noqa: PLC0415

        process = ScriptProcess(self._setting(allowed))
        try:
            fault = process.load()
        finally:
            process.end()
        if fault is not None:
            raise InvalidConfiguration(f"{fault}; mend the script")

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
        from streamjob_runtime.scripts.process import process_of  # noqa: PLC0415 (the operator reads parameters alone)

        process = process_of(self._setting(run.surroundings.allowed))
        kept = run.recall() if self.mode is ScriptMode.RECORD else None
        given, changed = [self._none(records)], []
        for rows in self._calls(records):
            assets = rows["asset"].unique(maintain_order=True)
            made = self._made_of(process, rows, assets, kept, run)
            if made is not None:
                _reject(made, rows, assets, run)
                changed.append(_changed(made, assets))
                given.append(self._given(made.given, rows, assets, run))
        _keep(kept, changed, run)
        return pl.concat(given)

    def _calls(self, records: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Yield the records of each call, as many as are sure to fit into memory; those of an asset are together."""
        if self.mode is ScriptMode.BATCH:
            yield from records.iter_slices(_CALL)
            return
        numbered = records.with_row_index("row").with_columns(pl.col("row").min().over("asset").alias("first"))
        rows = numbered.sort("first", maintain_order=True).drop("row").with_row_index("row")
        call = rows.select(pl.col("row").min().over("first") // _CALL).to_series()
        rows = rows.drop("row", "first")
        yield from (rows.filter(call == number) for number in call.unique(maintain_order=True))

    def _made_of(
        self, process: ScriptProcess, rows: pl.DataFrame, assets: pl.Series, kept: pl.DataFrame | None, run: Run
    ) -> Outcome | None:
        """Return what a call gave; None where it failed, for which its records are rejected."""
        from streamjob_runtime.scripts.answers import BadAnswer, outcome  # noqa: PLC0415 (the operator reads parameters alone)

        answer = self._asked(process, rows, assets, kept)
        if answer.fault is not None:
            run.reject(rows, answer.fault)
            return None
        try:
            return outcome(answer, rows.height, assets.len(), len(self._outputs))
        except BadAnswer as bad:
            process.end()
            run.reject(rows, str(bad))
            return None

    def _setting(self, allowed: Permissions) -> Setting:
        """Return how the script is run.

        Raises:
            InvalidConfiguration: no script may run.
        """
        from streamjob_runtime.faults import InvalidConfiguration  # noqa: PLC0415 (the operator reads parameters alone)
        from streamjob_runtime.scripts.process import Setting  # noqa: PLC0415

        limits = allowed.scripts
        if limits is None:
            raise InvalidConfiguration("a stage runs a script, which spec.pipelines.scripts does not allow; ask for it")
        outputs = tuple(map(str, self._outputs))
        return Setting(self.script, self.mode, outputs, limits.max_seconds, limits.max_memory)

    def _asked(
        self, process: ScriptProcess, rows: pl.DataFrame, assets: pl.Series, kept: pl.DataFrame | None
    ) -> Answer:
        if self.mode is ScriptMode.BATCH:
            texts = pl.col("text").str.json_decode(pl.String)
            seen = rows.with_columns(texts).drop(*_INNER, "is_int")
            return process.ask({"assets": assets.to_list()}, {"records": _as_arrow(seen)})
        lengths = rows.group_by("asset", maintain_order=True).len()["len"].to_list()
        parts = {"records": _as_arrow(rows.drop(_INNER)), "states": _states(assets, kept)}
        return process.ask({"lengths": lengths}, parts)

    def _given(self, given: pl.DataFrame, rows: pl.DataFrame, assets: pl.Series, run: Run) -> pl.DataFrame:
        """Return what the script gave as records."""
        paths = rows.unique("asset", keep="first", maintain_order=True)["model_path"]
        outputs = pl.Series(map(str, self._outputs), dtype=rows.schema["point"])
        made = given.with_columns(
            assets.gather(given["asset"]).alias("asset"),
            paths.gather(given["asset"]).alias("model_path"),
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


def _states(assets: pl.Series, kept: pl.DataFrame | None) -> bytes:
    """Return what is kept of each asset, a line each, empty where nothing is."""
    if kept is None:
        return b"\n" * (assets.len() - 1)
    states = assets.to_frame().join(kept, on="asset", how="left", maintain_order="left")["state"]
    return "\n".join(states.fill_null("").to_list()).encode()


def _reject(made: Outcome, rows: pl.DataFrame, assets: pl.Series, run: Run) -> None:
    from streamjob_runtime.scripts.answers import causes_of  # noqa: PLC0415 (the operator reads parameters alone)

    for cause, places in causes_of(made.failed, "asset").items():
        run.reject(rows.filter(pl.col("asset").is_in(assets.gather(places).implode())), cause)
    has_failed = rows["asset"].is_in(assets.gather(made.failed["asset"]).implode())
    numbers = pl.Series(range(rows.height), dtype=pl.UInt32)
    for cause, places in causes_of(made.rejected, "row").items():
        run.reject(rows.filter(numbers.is_in(places.implode()) & ~has_failed), cause)


def _changed(made: Outcome, assets: pl.Series) -> pl.DataFrame:
    """Return the states that are others now, null for those that are there no more."""
    return pl.DataFrame({"asset": assets.gather(made.states["asset"]), "state": made.states["state"]})


def _keep(kept: pl.DataFrame | None, changed: Sequence[pl.DataFrame], run: Run) -> None:
    states = pl.concat(changed) if changed else pl.DataFrame()
    if states.is_empty():
        return
    if kept is not None:
        states = pl.concat([kept.join(states, on="asset", how="anti", maintain_order="left"), states])
    run.keep(states.filter(pl.col("state").is_not_null()))
