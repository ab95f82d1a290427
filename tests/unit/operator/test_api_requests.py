"""Requests to the API server are counted by what they are about."""

import pytest

from streamjob_operator.api_server.cluster import _resource


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("api/v1/pods", "pods"),
        ("api/v1/namespaces/ou-a/pods/job-1-driver", "pods"),
        ("apis/streamjob.dev/v1beta1/namespaces/namespaces/streamjobs/pods/status", "streamjobs/status"),
        ("apis/streamjob.dev/v1beta1/streamjobs", "streamjobs"),
    ],
)
def test_a_request_is_counted_by_resource_whatever_the_names(path: str, resource: str) -> None:
    assert _resource(path) == resource
