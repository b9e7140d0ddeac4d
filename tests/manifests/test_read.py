"""`shipper/manifests/read.py`: what is found, what is passed by, what is refused and where."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from shipper.errors import ConfigError
from shipper.manifests import read as reading
from shipper.manifests.manifest import Manifest
from shipper.manifests.read import ManifestsError, read_manifests
from tests.manifests.support import pod, text_of


def manifests(directory: Path, text: str, **options: str) -> list[Manifest]:
    path = directory / "m.yaml"
    path.write_text(text)
    return list(read_manifests([str(path)], namespace=options.get("namespace", "team")).manifests)


def refused(directory: Path, text: str) -> list[tuple[int, str]]:
    with pytest.raises(ManifestsError) as caught:
        manifests(directory, text)
    return [(problem.line, problem.reason) for problem in caught.value.problems]


# ---- what is an object


def test_every_object_of_a_file_with_its_line(tmp_path: Path) -> None:
    """Many documents, empty ones between them."""
    text = (
        "# a chart\n---\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n---\n"
    )
    text += "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
    web, shop = manifests(tmp_path, text)
    assert (str(web), web.document.line, web.resource) == ("Deployment team/web", 4, "deployments")
    assert (web.group, web.version) == ("apps", "v1")
    assert (str(shop), shop.document.line, shop.namespace) == ("Namespace shop", 8, "")


def test_lists_are_unfolded(tmp_path: Path) -> None:
    """`kubectl get -o yaml`, lists of one kind, and lists in lists; each item at its own line."""
    text = """apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: ConfigMapList
    items:
      - metadata: {name: one}
      - metadata:
          name: two
  - apiVersion: v1
    kind: Secret
    metadata: {name: three}
"""
    found = [(str(one), one.document.line) for one in manifests(tmp_path, text)]
    assert found == [
        ("ConfigMap team/one", 7),
        ("ConfigMap team/two", 8),
        ("Secret team/three", 10),
    ]


def test_whatever_has_items_is_a_list(tmp_path: Path) -> None:
    """As to kubectl: nothing is hidden in what only looks like an object; nor behind a merge."""
    hidden = {
        "apiVersion": "e.com/v1",
        "kind": "Thing",
        "metadata": {"name": "t"},
        "items": [pod()],
    }
    assert [str(one) for one in manifests(tmp_path, text_of(hidden))] == ["Pod shop/p"]
    merged = "x: &x {apiVersion: v1, kind: Secret, metadata: {name: s}}\n<<: *x\n"
    assert [str(one) for one in manifests(tmp_path, merged)] == ["Secret team/s"]


def test_a_namespace_is_filled_in_as_kubectl_would(tmp_path: Path) -> None:
    """Where one is missing and the kind has one; the object then says so itself."""
    custom = {"apiVersion": "e.com/v1", "kind": "Thing", "metadata": {"name": "c"}}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}
    bare, own, thing, wide = manifests(
        tmp_path,
        text_of(pod(namespace=""), pod(), custom, {**role, "metadata": {"name": "r"}}),
    )
    assert bare.value["metadata"]["namespace"] == "team"
    assert own.namespace == "shop"
    assert (thing.namespace, wide.namespace) == ("", "")


def test_it_reads_as_kubectl_does(tmp_path: Path) -> None:
    """`yes` is true, merges are merged, null fields are not there."""
    (one,) = manifests(
        tmp_path,
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: null}\n"
        "spec:\n  a: &a {privileged: yes}\n  b: {<<: *a}\n",
    )
    assert one.value["spec"] == {"a": {"privileged": True}, "b": {"privileged": True}}
    assert "labels" not in one.value["metadata"]


def test_json_with_tabs_is_read(tmp_path: Path) -> None:
    """As editors and jq write it."""
    (one,) = manifests(tmp_path, json.dumps(pod(), indent="\t"))
    assert str(one) == "Pod shop/p"


def test_the_template_is_known(tmp_path: Path) -> None:
    """Helm says above each document what it was rendered from."""
    first, second = text_of(pod("a")), text_of(pod("b"))
    found = manifests(
        tmp_path,
        f"---\n# Source: web/templates/a.yaml\n# more\n\n{first}\n---\n{second}\n",
    )
    assert [one.template for one in found] == ["web/templates/a.yaml", ""]


# ---- where objects are looked for


def test_directories_are_searched(tmp_path: Path) -> None:
    """Below as well, in order; not in hidden ones, not behind links, not in other files."""
    for name in ("b/z.json", "b/a.yml", "a.yaml", ".git/x.yaml", "c/notes.txt", "c/.x.yaml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text_of(pod(path.stem)))
    os.symlink(tmp_path, tmp_path / "b" / "loop")
    found = read_manifests([str(tmp_path)], namespace="n")
    assert [one.name for one in found.manifests] == ["a", "a", "z"]


def test_a_pipe_in_a_directory_is_named(tmp_path: Path) -> None:
    """Nobody writes to it: to wait for it would hang a build for ever."""
    os.mkfifo(tmp_path / "m.yaml")
    with pytest.raises(ManifestsError, match=r"m\.yaml: cannot be read: not a file"):
        read_manifests([str(tmp_path)], namespace="n")


def test_what_is_no_manifest_is_passed_by(tmp_path: Path) -> None:
    """Values, charts, kustomizations, component configurations: named, and no mistake."""
    others = {
        "values.yaml": "replicas: 2\n",
        "Chart.yaml": "apiVersion: v2\nname: web\n",
        "kubeconfig.yaml": "apiVersion: v1\nkind: Config\nclusters: []\n",
        "kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        "metadata: {name: x}\n",
    }
    for name, text in others.items():
        (tmp_path / name).write_text(text)
    found = read_manifests([str(tmp_path)], namespace="n")
    assert found.manifests == []
    assert sorted(Path(name).name for name in found.passed_by) == sorted(others)


def test_templates_of_a_chart_are_passed_by(tmp_path: Path) -> None:
    """They are no YAML before Helm has rendered them; what to do is said."""
    (tmp_path / "web" / "templates").mkdir(parents=True)
    (tmp_path / "web" / "Chart.yaml").write_text("apiVersion: v2\nname: web\n")
    (tmp_path / "web" / "templates" / "a.yaml").write_text("{{- if .Values.x }}\n")
    found = read_manifests([str(tmp_path)], namespace="n")
    assert [name for name in found.passed_by if "helm template" in name] == [
        f"{tmp_path}/web/templates (render it: helm template . | … rules check -)"
    ]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a pipe brings is called <stdin>."""
    data = io.TextIOWrapper(io.BytesIO(text_of(pod()).encode()))
    monkeypatch.setattr("sys.stdin", data)
    (one,) = read_manifests(["-"], namespace="n").manifests
    assert one.document.file == "<stdin>"


@pytest.mark.parametrize("text", ["", "---\n# nothing\n---\n"])
def test_nothing_at_all_is_no_pass(tmp_path: Path, text: str) -> None:
    """A renderer that failed leaves an empty pipe."""
    with pytest.raises(ConfigError, match="no manifest in"):
        manifests(tmp_path, text)


# ---- what is refused

WRONG: dict[str, tuple[str, int, str]] = {
    "no YAML": ("a: {{ .Values.a }}\n", 1, "key"),
    "a template": ("kind: Pod\nmetadata:\n  {{- toYaml . }}\n", 3, "not YAML"),
    "no mapping": (text_of(pod()) + "\n---\n- a\n", 3, "no mapping"),
    "no kind": (text_of(pod(), {"apiVersion": "v1", "metadata": {}}), 3, "kind: "),
    "no name": ("apiVersion: v1\nkind: Pod\nmetadata: {}\n", 3, "has no name"),
    "metadata is a list": ("apiVersion: v1\nkind: Pod\nmetadata: []\n", 3, "no mapping"),
    "items are none": ("apiVersion: v1\nkind: List\nitems: 3\n", 1, "metadata: "),
    "a key twice": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {}\nspec: {}\n", 5, "stands twice",
    ),
    "a tag": ("apiVersion: v1\nkind: !!python/x Pod\nmetadata: {name: a}\n", 2, "the tag"),
    "a merge of text": ("apiVersion: v1\nkind: Pod\nmetadata: {name: a, <<: x}\n", 1, "merges"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "reason"), WRONG.values(), ids=WRONG)
def test_a_bad_manifest_is_named_with_its_line(
    tmp_path: Path, text: str, line: int, reason: str
) -> None:
    """Nothing is judged then: what was not read must not look as if it had passed."""
    found = refused(tmp_path, text)
    assert [line for line, _ in found][:1] == [line], found
    assert reason in found[0][1]


def test_all_mistakes_in_all_files_are_told(tmp_path: Path) -> None:
    """And a file that is not there, and one that is not UTF-8."""
    (tmp_path / "a.yaml").write_bytes(b"kind: Pod\nname: \xff\n")
    (tmp_path / "b.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {}\n")
    with pytest.raises(ManifestsError) as caught:
        read_manifests([str(tmp_path), str(tmp_path / "gone.yaml")], namespace="n")
    assert [(Path(p.file).name, p.line) for p in caught.value.problems] == [
        ("a.yaml", 2), ("b.yaml", 3), ("gone.yaml", 0),
    ]  # fmt: skip
    assert caught.value.exit_code == 2


# ---- hostile


def test_a_bomb_of_aliases_is_refused(tmp_path: Path) -> None:
    """Ten lists of ten of the one before: ten billion values."""
    levels = "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 11))
    text = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: x}}\na0: &a0 [x]\n{levels}"
    assert "values" in refused(tmp_path, text)[0][1]


def test_one_long_text_named_often_is_refused(tmp_path: Path) -> None:
    """An object larger than the API server takes, though its file is small."""
    aliases = ",".join(["*t"] * 4000)
    text = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: x}}\nt: &t {'x' * 1000}\nu: [{aliases}]\n"
    assert "larger than 3 MiB" in refused(tmp_path, text)[0][1]


def test_many_large_objects_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may be let in by itself: all of them together may not. Said once."""
    monkeypatch.setattr(reading, "MAX_BYTES", 10_000)
    items: list[Any] = ["*p"] * 100
    text = f"apiVersion: v1\nkind: List\np: &p {text_of(pod())}\nitems: [{','.join(items)}]\n"
    assert [reason for _, reason in refused(tmp_path, text)] == [
        "from here on more than 0 MiB of objects"
    ]


def test_depth_is_bounded(tmp_path: Path) -> None:
    """No recursion without end."""
    for depth in (150, 5000):
        text = f"apiVersion: v1\nkind: {'[' * depth}\n"
        assert "deep" in refused(tmp_path, text)[0][1] or "nesting" in refused(tmp_path, text)[0][1]


def test_names_obey_no_terminal(tmp_path: Path) -> None:
    """Control characters in an object's name are shown, not sent."""
    (one,) = manifests(tmp_path, text_of(pod("\x1b[31mred\nline")))
    assert str(one) == "Pod shop/\\u001b[31mred\\u000aline"
