"""What of a StreamResource's libraries is installed, and who uses it. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from streamjob_api.faults import InvalidSpec
from streamjob_api.status import NAMED_JOBS, LibrarySlots, LibraryState, LibraryStatus
from streamjob_api.stream_resource import Library, StreamResourceSpec
from streamjob_operator.observed import Job
from streamjob_operator.validation.jobs import library_of, reserves
from streamjob_operator.validation.resources import OuFacts, Slots, slots

# Room for the list in a status: about 50 libraries, of the 300 that a resource may list.
MAX_BYTES = 10_240
_MAX_IMAGE = 256


def library_slots(spec: StreamResourceSpec, facts: OuFacts) -> LibrarySlots:
    """Places for libraries, in numbers."""
    shared = slots(spec, facts.running)
    return LibrarySlots(total=shared.total, used=shared.used)


def library_statuses(
    spec: StreamResourceSpec, facts: OuFacts, users: Mapping[Library, Sequence[str]]
) -> list[LibraryStatus]:
    """Every library that is listed or still runs, those that are not installed first."""
    shared = slots(spec, facts.running)
    every = [
        _status(library, _state(library, shared, facts), facts, users.get(library, ())) for library in _all(shared)
    ]
    return sorted(every, key=lambda status: status.state is LibraryState.INSTALLED)


def within(statuses: Iterable[LibraryStatus], limit: int = MAX_BYTES) -> list[LibraryStatus]:
    """As many as there is room for."""
    room, shown = limit, []
    for status in statuses:
        room -= len(status.model_dump_json(exclude_defaults=True))
        if room < 0:
            break
        shown.append(status)
    return shown


def users_of(jobs: Iterable[Job]) -> dict[Library, list[str]]:
    """Names of jobs by the library that they need; drafts need none."""
    found: dict[Library, list[str]] = {}
    for job in jobs:
        if reserves(job) and not isinstance(job.spec, InvalidSpec):
            found.setdefault(library_of(job.spec), []).append(job.key.name)
    return found


def _all(shared: Slots) -> Iterator[Library]:
    yield from shared.removing
    yield from shared.left_out
    yield from shared.installed


def _state(library: Library, shared: Slots, facts: OuFacts) -> LibraryState:
    if library in shared.removing:
        return LibraryState.REMOVING
    if _image(library, facts) is None:
        return LibraryState.NOT_IN_CATALOGUE
    return LibraryState.INSTALLED if library in shared.installed else LibraryState.NO_SLOT


def _status(library: Library, state: LibraryState, facts: OuFacts, users: Sequence[str]) -> LibraryStatus:
    return LibraryStatus(
        name=library.name,
        version=library.version,
        state=state,
        jobs=len(users),
        used_by=sorted(users)[:NAMED_JOBS],
        image=(_image(library, facts) or "")[:_MAX_IMAGE],
    )


def _image(library: Library, facts: OuFacts) -> str | None:
    return facts.catalogue.image(library.name, library.version) if facts.catalogue else None
