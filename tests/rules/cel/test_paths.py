"""Which fields an expression speaks of."""

from __future__ import annotations

import pytest

from tests.rules.cel.asking import ENVIRONMENT

PATHS = [
    ("event.verb == 'a'", {"event.verb"}),
    ("event.objectRef.resource == event.verb", {"event.objectRef.resource", "event.verb"}),
    ("object.metadata.labels['app'] == 'x'", {"object.metadata.labels.app"}),
    ("object.?spec.?replicas.orValue(1) > 1", {"object.spec.replicas"}),
    ("object[?'spec'].hasValue()", {"object.spec"}),
    ("has(object.spec.hostNetwork)", {"object.spec.hostNetwork"}),
    ("object.spec.containers.all(c, c.image != '')", {"object.spec.containers"}),
    ("object.spec.containers[0].image == ''", {"object.spec.containers"}),
    ("object.data[event.verb] == ''", {"object.data", "event.verb"}),
    ("object == oldObject", {"object", "oldObject"}),
    ("event.verb.startsWith('a')", {"event.verb"}),
    ("event.groups.exists(event, event == 'x')", {"event.groups"}),
    ("cel.bind(o, object.spec, o.replicas > 1)", {"object.spec"}),
    ("[object.a].exists(x, x == params.b)", {"object.a", "params.b"}),
    ("{'event': 1}.event == 1", set()),
    ("authorizer.requestResource.check('get').allowed()", {"authorizer.requestResource"}),
    ("true", set()),
]


@pytest.mark.parametrize(("text", "paths"), PATHS)
def test_paths_are_followed_as_far_as_they_are_constant(text: str, paths: set[str]) -> None:
    """Fields, constant keys and `has`; what a macro names is no variable."""
    program = ENVIRONMENT.compile(text)
    assert {".".join(path) for path in program.paths} == paths
    assert program.references == {path.split(".")[0] for path in paths}
