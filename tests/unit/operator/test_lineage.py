"""One writer for each point and no loops, against a definition that is written out."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streamjob_api.points import PointRef
from streamjob_api.stream_job import MessageChannel
from streamjob_api.templates import Edge
from streamjob_operator.validation import Lineage, Member
from streamjob_operator.validation.lineage import Loop, shown

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def member(age: int, *edges: tuple[str, str], channel: MessageChannel = MessageChannel.REAL_TIME) -> Member:
    """A job that is the younger the higher its age's number; edges are pairs of input and output, as x or topic/x."""
    named = [
        Edge(point(source), point(output), f"block.policies[{number}].output", topic(source), topic(output))
        for number, (source, output) in enumerate(edges)
    ]
    name = f"job-{age}"
    inputs = tuple(dict.fromkeys(edge.input for edge in named if edge.read_from is None))
    outputs = tuple(dict.fromkeys(edge.output for edge in named if edge.written_to is None))
    return Member(name, name, (FIRST + timedelta(seconds=age), name), channel, inputs, outputs, tuple(named))


def point(place: str) -> PointRef:
    return PointRef("A", place.rpartition("/")[2])


def topic(place: str) -> str | None:
    return place.rpartition("/")[0] or None


def texts(loops: list[Loop]) -> list[str]:
    return [shown(loop) for loop in loops]


def test_the_newest_job_of_a_loop_is_told_the_whole_loop() -> None:
    older, newer = member(1, ("x", "y")), member(2, ("y", "x"))
    lineage = Lineage([newer, older])
    assert texts(lineage.loops(newer)) == ["A::y -(job-2)-> A::x -(job-1)-> A::y"]
    assert lineage.loops(older) == []


def test_a_loop_through_three_jobs_and_two_steps_of_one() -> None:
    jobs = [member(1, ("b", "c")), member(2, ("c", "d"), ("d", "e")), member(3, ("e", "a"), ("a", "b"))]
    lineage = Lineage(jobs)
    assert texts(lineage.loops(jobs[2])) == [
        "A::e -(job-3)-> A::a -(job-3)-> A::b -(job-1)-> A::c -(job-2)-> A::d -(job-2)-> A::e"
    ]


def test_a_chain_and_a_diamond_are_no_loops() -> None:
    jobs = [member(1, ("a", "b"), ("a", "c")), member(2, ("b", "d"), ("c", "d")), member(3, ("d", "e"))]
    lineage = Lineage(jobs)
    assert [lineage.loops(job) for job in jobs] == [[], [], []]


def test_inputs_that_a_job_of_the_channel_writes_are_calculated_whatever_its_age() -> None:
    reader = member(2, ("d", "e"), ("c", "f"), ("raw", "c"), ("o", "g"))
    lineage = Lineage([reader, member(3, ("a", "d")), member(1, ("a", "o"), channel=MessageChannel.OFFLINE)])
    assert [point.point for point in lineage.calculated(reader, lambda _: True)] == ["c", "d"]
    assert [point.point for point in lineage.calculated(reader, lambda writer: writer.uid == "job-3")] == ["d"]
    lineage.drop("job-3")
    assert [point.point for point in lineage.calculated(reader, lambda _: True)] == ["c"]


def test_who_reads_an_output_is_a_neighbour_of_its_writer() -> None:
    writer, reader, other = member(1, ("a", "b")), member(2, ("b", "c")), member(3, ("x", "y"))
    watcher = replace(member(4), inputs=(PointRef("A", "b"),))  # a device-state job that writes nothing
    elsewhere = member(5, ("b", "d"), channel=MessageChannel.OFFLINE)
    assert Lineage([writer, reader, other, watcher, elsewhere]).neighbours(writer) == {"job-2", "job-4"}
    assert Lineage([writer, reader]).neighbours(reader) == set()


def test_jobs_of_another_channel_feed_nothing() -> None:
    newer = member(2, ("y", "x"), channel=MessageChannel.OFFLINE)
    assert Lineage([member(1, ("x", "y")), newer]).loops(newer) == []


def test_jobs_that_feed_each_other_through_topics_of_their_own_close_a_loop() -> None:
    older, newer = member(1, ("t1/x", "t2/x")), member(2, ("t2/x", "t1/x"))
    lineage = Lineage([older, newer])
    assert texts(lineage.loops(newer)) == ["A::x in 't2' -(job-2)-> A::x in 't1' -(job-1)-> A::x in 't2'"]
    assert lineage.loops(older) == []
    assert lineage.neighbours(older) == {"job-2"}


def test_a_loop_leads_through_results_and_topics_alike() -> None:
    older, newer = member(1, ("raw", "t/x"), ("t/x", "y")), member(2, ("y", "z"), ("z", "t/x"))
    assert texts(Lineage([older, newer]).loops(newer)) == [
        "A::y -(job-2)-> A::z -(job-2)-> A::x in 't' -(job-1)-> A::y",
    ]


def test_topics_of_their_own_serve_both_channels() -> None:
    newer = member(2, ("t2/x", "t1/x"), channel=MessageChannel.OFFLINE)
    assert Lineage([member(1, ("t1/x", "t2/x"))]).loops(newer)


def test_one_point_in_two_topics_and_two_points_of_one_are_no_loop() -> None:
    older = member(1, ("t1/x", "t2/x"))
    assert Lineage([older]).loops(member(2, ("t3/x", "t1/x"), ("x", "t1/x"), ("t2/y", "t1/x"))) == []


def test_several_jobs_may_write_a_point_to_topics_of_their_own() -> None:
    older, newer = member(1, ("a", "t/x")), member(2, ("a", "t/x"), ("x", "b"))
    lineage = Lineage([older, newer])
    assert list(lineage.rivals(newer)) == []
    assert lineage.calculated(newer, lambda _: True) == ()


def test_a_job_that_is_no_part_of_the_lineage_is_checked_against_it() -> None:
    draft = member(2, ("y", "x"))
    assert texts(Lineage([member(1, ("x", "y"))]).loops(draft)) == ["A::y -(job-2)-> A::x -(job-1)-> A::y"]


def test_a_job_that_changed_or_left_stands_against_nobody() -> None:
    older, newer = member(1, ("x", "y")), member(2, ("y", "x"))
    lineage = Lineage([older, newer])
    lineage.put(member(1, ("z", "y")))
    assert lineage.loops(newer) == []
    lineage.put(older)
    assert lineage.loops(newer)
    lineage.drop("job-1")
    assert lineage.loops(newer) == []


def test_an_output_belongs_to_the_oldest_writer() -> None:
    jobs = [member(age, ("x", "y")) for age in (1, 2, 3)]
    lineage = Lineage(jobs)
    assert [[older.name for _, older in lineage.rivals(job)] for job in jobs] == [[], ["job-1"], ["job-1"]]


def test_those_are_neighbours_whose_verdict_a_change_may_turn() -> None:
    feeder, closer, rival, bystander = (
        member(1, ("x", "y")),
        member(2, ("y", "x")),
        member(3, ("q", "y")),
        member(4, ("y", "z")),
    )
    lineage = Lineage([feeder, closer, rival, bystander])
    assert {"job-2", "job-3"} <= lineage.neighbours(feeder)
    assert lineage.neighbours(bystander) == set()


POINTS = st.sampled_from(["a", "b", "c", "t/a", "t/b", "u/a"])
EDGES = st.lists(st.tuples(POINTS, POINTS), min_size=1, max_size=3, unique=True)


def walks(jobs: list[Member], mine: Member) -> bool:
    """The definition: from where the job writes, through steps of no younger jobs, back to that step's input."""
    steps = {(step.read, step.written) for job in jobs if job.rank <= mine.rank for step in job.steps()}
    reach = {place: {place} for step in steps for place in step}
    for _ in range(len(reach)):
        for source, output in steps:
            for reached in reach.values():
                if source in reached:
                    reached.add(output)
    return any(step.read in reach[step.written] for step in mine.steps())


@given(st.lists(EDGES, min_size=1, max_size=5))
def test_loops_are_those_of_the_definition(of: list[list[tuple[str, str]]]) -> None:
    jobs = [member(age, *edges) for age, edges in enumerate(of)]
    lineage = Lineage(jobs)
    for mine in jobs:
        loops = lineage.loops(mine)
        assert bool(loops) == walks(jobs, mine)
        for loop in loops:
            assert all(before.written == after.read for before, after in pairwise([*loop, loop[0]]))
            assert all(step.member.rank <= mine.rank for step in loop)
            assert loop[0].member == mine


@given(st.lists(st.tuples(st.integers(0, 4), EDGES), max_size=12))
def test_an_index_that_changed_is_as_one_that_was_made_anew(changes: list[tuple[int, list[tuple[str, str]]]]) -> None:
    changed, last = Lineage(), {}
    for age, edges in changes:
        last[age] = member(age, *edges)
        changed.put(last[age])
    anew = Lineage(last.values())
    for mine in last.values():
        assert texts(changed.loops(mine)) == texts(anew.loops(mine))
        assert set(changed.rivals(mine)) == set(anew.rivals(mine))
        assert changed.neighbours(mine) == anew.neighbours(mine)


def test_a_verdict_among_a_thousand_jobs_costs_little() -> None:
    """The worst case: one chain through all jobs, whose end the youngest one reads, without closing it."""
    jobs = [member(age, *((f"p{age}-{n}", f"p{age + 1}-{n}") for n in range(10))) for age in range(1000)]
    lineage = Lineage(jobs)
    ordinary, reaching = member(2000, ("p5-0", "q")), member(2001, *((f"p1000-{n}", f"q{n}") for n in range(10)))
    started = time.process_time()
    for _ in range(100):
        assert lineage.loops(ordinary) == lineage.loops(reaching) == []
    assert (time.process_time() - started) / 200 < 0.005
    closing = member(2002, ("p1000-0", "p0-0"))
    started = time.process_time()
    (loop,) = lineage.loops(closing)
    assert len(loop) == 1001
    assert shown(loop).endswith("-(job-9)-> A::p10-0 -(989 more steps)-> A::p999-0 -(job-999)-> A::p1000-0")
    assert time.process_time() - started < 1
