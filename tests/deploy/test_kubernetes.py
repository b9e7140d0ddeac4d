"""The chart and the kustomize manifests: valid, in agreement, and as unprivileged as they can be.

Rendered by Helm's own engine and by kubectl, checked against Kubernetes' published schemas.
"""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from shipper import config
from tests.conftest import ROOT
from tests.deploy import manifests, pod_security
from tests.deploy.manifests import KUBERNETES, Manifest, of_kind, render, values

helm_python = pytest.importorskip("helm_python", reason="needs helm-python-sdk (x86_64 only)")

VERSIONS = ["1.32", "1.37"]
"""Kubernetes' schemas: the oldest that the project names, and the newest published."""

OVERLAYS = {
    "kubeadm": [],
    "k3s": ["values-k3s.yaml"],
    "rke2": ["values-rke2.yaml"],
    "talos": ["values-talos.yaml"],
}
VARIANTS: dict[str, dict[str, Any]] = {
    "capability": {"access": {"mode": "capability"}},
    "as root": {"access": {"mode": "owner", "owner": 0}},
    "prepared by hand": {"prepare": {"enabled": False}},
    "a key on each node": {"key": {"hostPath": "/etc/audit-shipper/key"}},
    "web identity": {"s3": {"webIdentityRoleArn": "arn:aws:iam::123456789012:role/writer"}},
    "on the host's network": {"hostNetwork": True},
    "SELinux": {"seLinuxType": "container_logreader_t"},
    "compared with the API server": {"apiServerMetrics": {"enabled": True}},
    "no policy": {"networkPolicy": {"enabled": False}},
    "for everybody": {"networkPolicy": {"ingressFrom": []}},
    "pinned": {"image": {"repository": "r.example.com/a", "digest": "sha256:" + "0" * 64}},
    "private registry": {"imagePullSecrets": [{"name": "registry"}]},
    "annotated": {"podAnnotations": {"a": "b"}, "serviceAccount": {"annotations": {"c": "d"}}},
}


def variant(name: str) -> Manifest:
    return manifests.merge(values(), VARIANTS[name])


def kustomized(overlay: str) -> list[Manifest]:
    """What `kubectl apply -k` would send."""
    if shutil.which("kubectl") is None:
        pytest.skip("needs kubectl, for kustomize")
    done = subprocess.run(
        ["kubectl", "kustomize", KUBERNETES / "overlays" / overlay],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def pod(given: list[Manifest]) -> dict[str, Any]:
    spec: dict[str, Any] = of_kind(given, "DaemonSet")["spec"]["template"]["spec"]
    return spec


def daemon(given: list[Manifest]) -> dict[str, Any]:
    (container,) = pod(given)["containers"]
    return dict(container)


def environment(container: dict[str, Any]) -> dict[str, str]:
    """As on a node called cp-1."""
    return {one["name"]: one.get("value", "cp-1") for one in container["env"]}


# ---- valid


@pytest.mark.parametrize("files", OVERLAYS.values(), ids=OVERLAYS)
def test_helm_lints_it(files: list[str]) -> None:
    """`helm lint --strict` has no warning and no error."""
    report = helm_python.lint(manifests.CHART, values(*files), strict=True)
    assert report["errors"] == []
    assert [message for message in report["messages"] if message["severity"] > 1] == []


def all_manifests() -> dict[str, list[Manifest]]:
    by_overlay = {f"helm {name}": render(values(*files)) for name, files in OVERLAYS.items()}
    by_variant = {f"helm {name}": render(variant(name)) for name in VARIANTS}
    return by_overlay | by_variant


@pytest.mark.parametrize("version", VERSIONS)
def test_the_chart_fits_the_schemas(version: str) -> None:
    """Each object, in each distribution and variant, strictly: no unknown field anywhere."""
    validate = pytest.importorskip("kubernetes_validate").validate
    for name, objects in all_manifests().items():
        for manifest in objects:
            try:
                validate(manifest, version, strict=True)
            except Exception as error:
                raise AssertionError(f"{name}, {manifest['kind']}: {error}") from error


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_overlays_fit_the_schemas(overlay: str, version: str) -> None:
    """The same for what kustomize makes."""
    validate = pytest.importorskip("kubernetes_validate").validate
    for manifest in kustomized(overlay):
        validate(manifest, version, strict=True)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": ({"imagee": {}}, "imagee"),
    "a short digest": ({"image": {"digest": "sha256:12"}}, "digest"),
    "an unknown mode": ({"access": {"mode": "root"}}, "mode"),
    "a directory": ({"config": {"store": {"url": "file:///srv"}}}, "url"),
    "a relative path": ({"auditLog": {"path": "audit.log"}}, "path"),
    "a low port": ({"health": {"port": 80}}, "port"),
    "no cluster": ({"config": {"log": {"cluster": ""}}}, "config.log.cluster"),
    "no store": ({"config": {"store": {"url": ""}}}, "config.store.url"),
}


def install(given: Manifest) -> None:
    """As Helm does it: values against the schema, then the templates."""
    with helm_python.Chart.load(manifests.CHART) as chart:
        chart.validate_schema(given)
    render(given)


@pytest.mark.parametrize(("wrong", "named"), WRONG.values(), ids=WRONG)
def test_wrong_values_are_refused_by_name(wrong: dict[str, Any], named: str) -> None:
    """A mistake ends the rendering with the value's name."""
    with pytest.raises(helm_python.HelmError, match=re.escape(named)):
        install(manifests.merge(values(), wrong))


# ---- in agreement


def test_the_base_is_what_the_chart_gives() -> None:
    """`make manifests` would change nothing."""
    for path, text in manifests.base().items():
        assert path.read_text() == text, f"{path.name}: run `make manifests`"


def canonical(objects: list[Manifest]) -> list[Any]:
    """Order that means nothing taken out, generated names and what only one side has."""

    def sort(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: sort(inner) for key, inner in sorted(value.items())}
        if isinstance(value, list):
            inner = [sort(one) for one in value]
            return inner if all(isinstance(one, str) for one in inner) else sorted(inner, key=str)
        return re.sub(r"^audit-shipper-[a-z0-9]{10}$", "audit-shipper", str(value))

    kept = []
    for manifest in manifests.without_helm(objects) if _from_helm(objects) else objects:
        one = copy.deepcopy(manifest)
        if one["kind"] == "ConfigMap":
            one["data"] = {"config.yaml": yaml.safe_load(one["data"]["config.yaml"])}
            one["metadata"].pop("labels", None)
        if one["kind"] != "Namespace":
            kept.append(sort(one))
    return sorted(kept, key=lambda one: str(one["kind"]))


def _from_helm(objects: list[Manifest]) -> bool:
    return "helm.sh/chart" in of_kind(objects, "DaemonSet")["metadata"]["labels"]


@pytest.mark.parametrize(("overlay", "files"), OVERLAYS.items(), ids=OVERLAYS)
def test_an_overlay_is_what_the_chart_gives(overlay: str, files: list[str]) -> None:
    """Whoever installs with kustomize runs the same as who installs with Helm."""
    assert canonical(kustomized(overlay)) == canonical(render(values(*files)))


# ---- what it runs


@pytest.mark.parametrize("files", OVERLAYS.values(), ids=OVERLAYS)
def test_the_program_understands_its_configuration(files: list[str]) -> None:
    """With the pod's environment; the log is named after the node, and read where it is mounted."""
    objects = render(values(*files))
    text = of_kind(objects, "ConfigMap")["data"]["config.yaml"]
    container = daemon(objects)
    loaded = config.parse(text, environment(container))
    assert loaded.log.node == "cp-1"
    mounts = {one["mountPath"]: one for one in container["volumeMounts"]}
    assert mounts[str(Path(loaded.source.path).parent)]["readOnly"] is True
    assert mounts[str(Path(loaded.seal.key_file).parent)]["readOnly"] is True
    assert "readOnly" not in mounts[str(Path(loaded.spool.path).parent)]
    assert pod(objects)["terminationGracePeriodSeconds"] > loaded.shutdown.drain
    assert yaml.safe_load(text)["health"]["listen"] == "0.0.0.0:9465"


def test_nothing_but_the_spool_can_be_written() -> None:
    """The root is read-only, and one mount is not: the node's directory for the spool."""
    container = daemon(render(values()))
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    writable = [one["name"] for one in container["volumeMounts"] if not one.get("readOnly")]
    assert writable == ["state"]


def test_it_runs_on_control_plane_nodes_alone() -> None:
    """Either label will do, and the usual taints are tolerated; others are not."""
    spec = pod(render(values()))
    terms = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    labels = [term["matchExpressions"][0]["key"] for term in terms["nodeSelectorTerms"]]
    assert labels == [
        "node-role.kubernetes.io/control-plane",
        "node-role.kubernetes.io/master",
    ]
    assert all(one.get("key") for one in spec["tolerations"])
    assert spec["priorityClassName"] == "system-node-critical"


def test_one_node_at_a_time() -> None:
    """An update goes on only while every other node is ready."""
    spec = of_kind(render(values()), "DaemonSet")["spec"]
    assert spec["updateStrategy"]["rollingUpdate"] == {"maxUnavailable": 1}
    assert daemon(render(values()))["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert daemon(render(values()))["livenessProbe"]["httpGet"]["path"] == "/livez"


def test_no_pod_holds_a_token_of_the_cluster() -> None:
    """Not by default, and with web identity one that is good for the cloud alone."""
    for name in ("prepared by hand", "web identity"):
        objects = render(variant(name))
        assert of_kind(objects, "ServiceAccount")["automountServiceAccountToken"] is False
        for spec in (pod(objects), of_kind(objects, "Pod")["spec"]):
            assert spec["automountServiceAccountToken"] is False
            for volume in spec["volumes"]:
                for source in volume.get("projected", {}).get("sources", []):
                    assert source["serviceAccountToken"]["audience"] == "sts.amazonaws.com"


def test_another_configuration_is_another_pod() -> None:
    """The pod's annotations change with the configuration, and with nothing else."""

    def checksum(given: Manifest) -> str:
        template = of_kind(render(given), "DaemonSet")["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/config"])

    other = manifests.merge(values(), {"config": {"batch": {"max_age": "5s"}}})
    assert checksum(values()) == checksum(variant("annotated")) != checksum(other)


def test_two_releases_do_not_meet() -> None:
    """Selectors and names are the release's."""
    one, other = (of_kind(render(values(), release=name), "DaemonSet") for name in ("a", "b"))
    assert one["metadata"]["name"] != other["metadata"]["name"]
    assert one["spec"]["selector"] != other["spec"]["selector"]


def test_the_check_is_not_taken_for_a_daemon() -> None:
    """The test pod's labels do not match the DaemonSet's selector, but the NetworkPolicy's."""
    objects = render(values())
    labels = of_kind(objects, "Pod")["metadata"]["labels"].items()
    selector = of_kind(objects, "DaemonSet")["spec"]["selector"]["matchLabels"].items()
    policy = of_kind(objects, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items()
    assert not selector <= labels
    assert policy <= labels


# ---- who it runs as


def broken(given: Manifest) -> set[tuple[str, str]]:
    objects = render(given)
    specs = [pod(objects), of_kind(objects, "Pod")["spec"]]
    return {one for spec in specs for one in pod_security.broken(spec)}


@pytest.mark.parametrize("files", OVERLAYS.values(), ids=OVERLAYS)
def test_restricted_but_for_what_has_a_reason(files: list[str]) -> None:
    """Every exception to the restricted level is listed with its reason, and each is needed."""
    assert broken(values(*files)) == set(pod_security.ALLOWED)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_overlays_are_restricted_too(overlay: str) -> None:
    """The same for what kustomize makes; the namespace allows it, and warns of the rest."""
    objects = kustomized(overlay)
    assert set(pod_security.broken(pod(objects))) == set(pod_security.ALLOWED)
    labels = of_kind(objects, "Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "privileged"
    assert labels["pod-security.kubernetes.io/warn"] == "restricted"


MORE: dict[str, set[tuple[str, str]]] = {
    "capability": {
        (who, control)
        for who in ("audit-shipper", "check")
        for control in ("runAsNonRoot", "runAsUser", "adds no capability")
    },
    "as root": {
        (who, control)
        for who in ("audit-shipper", "check")
        for control in ("runAsNonRoot", "runAsUser")
    },
    "on the host's network": {("pod", "host namespaces")},
    "SELinux": {(who, "SELinux") for who in ("prepare", "audit-shipper", "check")},
}
"""What the documented fallbacks break besides."""


@pytest.mark.parametrize("name", VARIANTS)
def test_a_fallback_costs_what_is_written_here(name: str) -> None:
    """No value opens more than it must."""
    allowed = set(pod_security.ALLOWED)
    if name == "prepared by hand":
        allowed = {("pod", "volume types")}
    assert broken(variant(name)) == allowed | MORE.get(name, set())


def test_the_capability_is_the_only_one() -> None:
    """The fallback is root with DAC_READ_SEARCH and nothing else."""
    container = daemon(render(variant("capability")))
    assert container["securityContext"]["capabilities"] == {
        "drop": ["ALL"],
        "add": ["DAC_READ_SEARCH"],
    }


def test_the_network_policy_lets_out_the_store_and_names_alone() -> None:
    """In: the health port, from the namespace of the monitoring. Out: DNS and the store's port."""
    spec = of_kind(render(values()), "NetworkPolicy")["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert [port["port"] for rule in spec["ingress"] for port in rule["ports"]] == [9465]
    monitoring = {"kubernetes.io/metadata.name": "monitoring"}
    assert spec["ingress"][0]["from"] == [{"namespaceSelector": {"matchLabels": monitoring}}]
    out = [(port["protocol"], port["port"]) for rule in spec["egress"] for port in rule["ports"]]
    assert out == [("UDP", 53), ("TCP", 53), ("TCP", 443)]


def test_the_api_server_is_asked_only_where_that_is_wanted() -> None:
    """By default there is no token, no right and no way out; where it is wanted, each just once."""
    kinds = {manifest["kind"] for manifest in render(values())}
    assert not kinds & {"ClusterRole", "ClusterRoleBinding"}
    assert "serviceAccountToken" not in str(render(values()))

    objects = render(variant("compared with the API server"))
    (allowed,) = of_kind(objects, "ClusterRole")["rules"]
    assert allowed == {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}
    bound = of_kind(objects, "ClusterRoleBinding")
    assert bound["roleRef"]["name"] == of_kind(objects, "ClusterRole")["metadata"]["name"]
    assert [one["name"] for one in bound["subjects"]] == [pod(objects)["serviceAccountName"]]
    (rule,) = of_kind(objects, "NetworkPolicy")["spec"]["egress"][1:]
    assert [one["port"] for one in rule["ports"]] == [443, 6443]

    text = of_kind(objects, "ConfigMap")["data"]["config.yaml"]
    asked = config.parse(text, {**environment(daemon(objects)), "NODE_IP": "10.0.0.1"})
    options = asked.source.apiserver_metrics
    assert (options.url, options.server_name) == ("https://10.0.0.1:6443", "kubernetes")
    (mount,) = [one for one in daemon(objects)["volumeMounts"] if one["name"] == "apiserver"]
    (volume,) = [one for one in pod(objects)["volumes"] if one["name"] == "apiserver"]
    token, authority = volume["projected"]["sources"]
    assert options.token_file == f"{mount['mountPath']}/{token['serviceAccountToken']['path']}"
    assert options.ca_file == f"{mount['mountPath']}/{authority['configMap']['items'][0]['path']}"


def test_who_is_let_in_is_who_the_monitoring_page_names() -> None:
    """A Prometheus elsewhere would find a closed door."""
    page = (ROOT / "deploy" / "monitoring" / "README.md").read_text()
    spec = of_kind(render(values()), "NetworkPolicy")["spec"]
    (peer,) = spec["ingress"][0]["from"]
    (namespace,) = peer["namespaceSelector"]["matchLabels"].values()
    assert f"namespace `{namespace}`" in page
    assert "networkPolicy.ingressFrom" in page


def test_a_digest_goes_before_the_tag() -> None:
    """The image is named by its bytes where they are given, else by the chart's version."""
    assert daemon(render(variant("pinned")))["image"] == "r.example.com/a@sha256:" + "0" * 64
    assert daemon(render(values()))["image"] == "audit-shipper:0.1.0"


def test_the_versions_agree() -> None:
    """Chart, program and package have one version."""
    import shipper

    chart = yaml.safe_load((manifests.CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == shipper.__version__


def test_the_notes_name_the_next_steps() -> None:
    """Namespace level, key, check, proof; with a key on each node no Secret is asked for."""
    notes = manifests.texts(values())["NOTES.txt"]
    for step in (
        "enforce=privileged",
        "create secret generic",
        "helm test",
        "audit-shipper verify",
    ):
        assert step in notes
    assert "create secret" not in manifests.texts(variant("a key on each node"))["NOTES.txt"]
