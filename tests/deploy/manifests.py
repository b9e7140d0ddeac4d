"""The chart, rendered by Helm itself, and the kustomize base that is made from it.

`make manifests` writes the base; a test says whether it is what the chart gives.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT

CHART = ROOT / "deploy" / "helm" / "audit-shipper"
KUBERNETES = ROOT / "deploy" / "kubernetes"
BASE = KUBERNETES / "base"
NAME = "audit-shipper"

Manifest = dict[str, Any]

HEAD = "# Made from deploy/helm/audit-shipper by `make manifests`: change that, not this.\n"


def values(*files: str) -> Manifest:
    """The example's values with these files of the chart on top."""
    merged: Manifest = {}
    for file in ("ci/example-values.yaml", *files):
        over: Manifest = yaml.safe_load((CHART / file).read_text())
        merged = merge(merged, over)
    return merged


def merge(under: Manifest, over: Manifest) -> Manifest:
    """As Helm merges values."""
    merged = copy.deepcopy(under)
    for key, value in over.items():
        inner = merged.get(key)
        if isinstance(inner, dict) and isinstance(value, dict):
            value = merge(inner, value)
        merged[key] = value
    return merged


def texts(given: Manifest, *, release: str = NAME) -> dict[str, str]:
    """What each template gives, by its name."""
    import helm_python  # there is no wheel of it for every kind of machine

    with helm_python.Chart.load(CHART) as chart:
        rendered = chart.render(given, name=release, namespace=NAME)
    return {path.partition("/templates/")[2]: text for path, text in rendered.items()}


def render(given: Manifest, *, release: str = NAME) -> list[Manifest]:
    """All objects of the chart, the test pod too."""
    return [
        manifest
        for path, text in texts(given, release=release).items()
        if path.endswith(".yaml")
        for manifest in yaml.safe_load_all(text)
        if manifest is not None
    ]


def of_kind(manifests: list[Manifest], kind: str) -> Manifest:
    """The one of that kind."""
    (found,) = [manifest for manifest in manifests if manifest["kind"] == kind]
    return found


def without_helm(manifests: list[Manifest]) -> list[Manifest]:
    """What a cluster runs, without what only Helm needs: its labels, its tests, its checksum."""
    kept = []
    for manifest in copy.deepcopy(manifests):
        metadata = manifest["metadata"]
        if "helm.sh/hook" in metadata.get("annotations", {}):
            continue
        for label in ("app.kubernetes.io/managed-by", "helm.sh/chart"):
            metadata.get("labels", {}).pop(label, None)
        template = manifest.get("spec", {}).get("template")
        if template:
            del template["metadata"]["annotations"]["checksum/config"]
            if not template["metadata"]["annotations"]:
                del template["metadata"]["annotations"]
        kept.append(manifest)
    return kept


def base() -> dict[Path, str]:
    """The files of the kustomize base that come from the chart."""
    manifests = without_helm(render(values()))
    config = of_kind(manifests, "ConfigMap")["data"]["config.yaml"]
    rest = [manifest for manifest in manifests if manifest["kind"] != "ConfigMap"]
    return {
        BASE / "audit-shipper.yaml": HEAD + yaml.safe_dump_all(rest, sort_keys=False),
        BASE / "config.yaml": HEAD + config,
    }


if __name__ == "__main__":
    for path, text in base().items():
        path.write_text(text)
