"""JUnit's XML, as GitLab and other CI systems read it.

A test case for each result, and one for each object with none. What could not be decided is
skipped, a warning passes with its text.
"""

from __future__ import annotations

from xml.etree import ElementTree

from shipper.manifests.manifest import Manifest
from shipper.manifests.result import Report, Result


def render(report: Report) -> str:
    """The report as an XML document."""
    by_object: dict[int, list[Result]] = {}
    for result in report.results:
        by_object.setdefault(id(result.manifest), []).append(result)
    suite = ElementTree.Element("testsuite", name="audit-shipper rules check", errors="0")
    for one in report.manifests:
        found = by_object.get(id(one), [])
        for result in found:
            _case(suite, result)
        if not found:
            _named(suite, one, "no finding", one.document.line)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(report.count("deny")))
    suite.set("skipped", str(report.count("undecided")))
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, result: Result) -> None:
    case = _named(suite, result.manifest, result.name, result.line)
    place = f"{result.manifest.document.file}:{result.line}: {result.message}"
    if result.level == "deny":
        failure = ElementTree.SubElement(case, "failure", message=result.message, type="deny")
        failure.text = place
    elif result.level == "undecided":
        ElementTree.SubElement(case, "skipped", message=result.message)
    else:
        ElementTree.SubElement(case, "system-out").text = f"warning: {place}"


def _named(suite: ElementTree.Element, one: Manifest, name: str, line: int) -> ElementTree.Element:
    return ElementTree.SubElement(
        suite,
        "testcase",
        name=f"{one}: {name}",
        classname=one.document.file,
        file=one.document.file,
        line=str(line),
    )
