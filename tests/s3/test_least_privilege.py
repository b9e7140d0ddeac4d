"""The policies of deploy/terraform/aws on a real gateway: enough for the program, and no more.

The statements are the module's own, rendered by `tests.deploy.policies`; what release 16.2 of Ceph
does otherwise than AWS is in tables of its own in `deeds`, and checked to be still so.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError
from msgspec import structs

from shipper.errors import ShipperError
from tests.daemon import Place
from tests.deploy import policies
from tests.deploy.policies import Statement
from tests.s3 import deeds
from tests.s3.archive import Archive, audit
from tests.s3.ceph import Ceph, Keys
from tests.s3.deeds import Deed, Scene
from tests.s3.policies import policy
from tests.s3.stores import open_s3, store_options

LINES = b"".join(b'{"n":%d}\n' % n for n in range(60))
WRITER, STRONG, AUDITOR = "least-writer", "strong-writer", "least-auditor"
KMS_KEY = "testkey-2"
MISREAD = {deed.statement for deed in deeds.MISREAD}


def _arn(user: str) -> str:
    return f"arn:aws:iam:::user/{user}"


def _denies(bucket: str, user: str, **settings: Any) -> list[Statement]:
    """The bucket's statements against this writer, as this gateway understands them."""
    settings = {"sets_retention": True} | settings
    statements = policies.bucket_denies(bucket, writer_arn=_arn(user), **settings)
    kept = [statement for statement in statements if statement["Sid"] not in MISREAD]
    return policies.spelling_out_actions(policies.naming_principals(kept))


def _writer(ceph: Ceph, bucket: str, prefix: str, *, sets_retention: bool) -> Keys:
    """A user with the role's statements and no others."""
    statements = policies.writer_statements(bucket, prefix, sets_retention=sets_retention)
    ceph.set_user_policy(WRITER, policy(*statements))
    return ceph.user(WRITER)


def _auditor(ceph: Ceph, bucket: str) -> Keys:
    ceph.set_user_policy(AUDITOR, policy(*policies.auditor_statements(bucket)))
    return ceph.user(AUDITOR)


@pytest.fixture(scope="module")
def strong(ceph: Ceph) -> Keys:
    """A writer whom somebody has allowed everything else too."""
    anything = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*"}
    ceph.set_user_policy(STRONG, policy(anything))
    return ceph.user(STRONG)


def _answer(ceph: Ceph, keys: Keys, deed: Deed, scene: Scene) -> str:
    """`done`, or the code of the refusal."""
    try:
        deed.do(ceph.client(keys), scene)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "done"


def _only(deed: Deed, scene: Scene, **settings: Any) -> dict[str, Any]:
    """A policy of the deed's own statement."""
    statements = _denies(scene.bucket, STRONG, **settings)
    return policy(*(statement for statement in statements if statement["Sid"] == deed.statement))


# ---- enough


@pytest.mark.parametrize(("prefix", "sets_retention"), [("k8s/prod", True), ("", False)])
def test_a_log_is_shipped_and_proved(
    ceph: Ceph, tmp_path: Path, *, prefix: str, sets_retention: bool
) -> None:
    """With what the module gives, and all that its bucket refuses, a log is shipped, goes on after
    a restart and after its node's loss, with not one warning; the auditor proves all of it."""
    bucket = ceph.bucket(default=("COMPLIANCE", deeds.RETENTION_DAYS))
    ceph.set_policy(bucket, policy(*_denies(bucket, WRITER, sets_retention=sets_retention)))
    keys = _writer(ceph, bucket, prefix, sets_retention=sets_retention)
    lock = "object" if sets_retention else "bucket-default"
    store = store_options(ceph, bucket, prefix, keys=keys, lock=lock, confirm="all")
    place = Place(tmp_path)
    config = structs.replace(place.config(), store=store)
    for life in range(3):
        if life == 2:
            shutil.rmtree(place.spool)
        with place.log.open("ab") as log:
            log.write(LINES)
        assert place.once(config=config) == 0, place.said.getvalue()
    said = [json.loads(line) for line in place.said.getvalue().splitlines()]
    assert [line for line in said if line["level"] != "info"] == []
    auditor = _auditor(ceph, bucket)
    asked = [store.url, "--endpoint-url", ceph.endpoint]
    result = audit(ceph, place, auditor, "verify", *asked, "--locked-until", "399d")
    assert result.exit_code == 0, result.output
    events = audit(ceph, place, auditor, "cat", *asked)
    assert events.exit_code == 0, events.stderr
    assert events.stdout_bytes == LINES * 3


@pytest.mark.parametrize("sets_retention", [True, False])
@pytest.mark.parametrize("prefix", ["p", ""])
def test_the_preflight_finds_nothing_weak(ceph: Ceph, prefix: str, *, sets_retention: bool) -> None:
    """Every one of its questions has a good answer."""
    bucket = ceph.bucket(default=("COMPLIANCE", deeds.RETENTION_DAYS))
    ceph.set_policy(bucket, policy(*_denies(bucket, WRITER, sets_retention=sets_retention)))
    keys = _writer(ceph, bucket, prefix, sets_retention=sets_retention)
    lock = "object" if sets_retention else "bucket-default"
    checks = list(open_s3(ceph, bucket, prefix, keys=keys, lock=lock).preflight())
    assert len(checks) == 9
    assert [check for check in checks if check.state != "ok"] == []


# ---- and no more: each permission is needed


def _actions(statements: list[Statement]) -> list[str]:
    return sorted(policies.actions(statements))


def _without(statements: list[Statement], action: str) -> list[Statement]:
    """The statements without that action, and those that still allow something."""
    listed = [(statement, policies.actions([statement]) - {action}) for statement in statements]
    return [statement | {"Action": sorted(kept)} for statement, kept in listed if kept]


NEEDED_AT_AWS_ONLY = {"s3:PutObjectRetention"}
"""Ceph asks for nothing but PutObject when an upload carries a lock."""


def _is_content(ceph: Ceph, bucket: str, keys: Keys) -> bool:
    """Whether all that the daemon asks of a store is answered well."""
    store = open_s3(ceph, bucket, keys=keys, confirm="all")
    try:
        weak = [check for check in store.preflight() if check.state != "ok"]
        found = store.put("there", b"body", again=True)
        added = store.put("not there", b"body", again=True)
        store.children("")
        store.get("hidden", max_bytes=4, version=store.versions("hidden")[0])
    except ShipperError:
        return False
    return not weak and not found.weak and not added.weak


@pytest.mark.parametrize(
    "action", ["", *_actions(policies.writer_statements("b", "p", sets_retention=True))]
)
def test_the_writer_needs_each_permission(ceph: Ceph, strong: Keys, action: str) -> None:
    """Without any one of them the daemon has something to complain of."""
    bucket = ceph.bucket()
    # Another node's: whoever has put an object may read it without permission.
    for name in ("there", "hidden"):
        open_s3(ceph, bucket, keys=strong).put(name, b"body")
    ceph.client().delete_object(Bucket=bucket, Key="p/hidden")
    statements = policies.writer_statements(bucket, "p", sets_retention=True)
    ceph.set_user_policy(WRITER, policy(*_without(statements, action)))
    assert _is_content(ceph, bucket, ceph.user(WRITER)) == (action in {"", *NEEDED_AT_AWS_ONLY})


@pytest.fixture(scope="module")
def overlaid(ceph: Ceph, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """A good archive, its events uploaded twice, so that versions must be read."""
    archive = Archive(ceph, tmp_path_factory.mktemp("overlaid"))
    store = open_s3(ceph, archive.bucket)
    for key in archive.listed("events"):
        ceph.client().put_object(
            Bucket=archive.bucket,
            Key=f"p/{key}",
            Body=store.get(key, max_bytes=2**20),
            **deeds.lock("COMPLIANCE", 2),
        )
    return archive


@pytest.mark.parametrize("action", ["", *_actions(policies.auditor_statements("b"))])
def test_the_auditor_needs_each_permission(overlaid: Archive, action: str) -> None:
    """Without any one of them `verify` cannot say that all holds."""
    ceph = overlaid.ceph
    statements = policies.auditor_statements(overlaid.bucket)
    ceph.set_user_policy(AUDITOR, policy(*_without(statements, action)))
    overlaid.keys = ceph.user(AUDITOR)
    result = overlaid.run("verify", "--locked-until", "40h")
    assert (result.exit_code == 0) == (action == ""), result.output


# ---- and no more: what is refused, and by what


@pytest.mark.parametrize(
    ("deed", "settings"),
    [
        *((deed, {}) for deed in deeds.REFUSED),
        *((deed, {"sets_retention": False}) for deed in deeds.REFUSED_WITH_A_DEFAULT),
        *((deed, {"kms_key_arn": KMS_KEY}) for deed in deeds.REFUSED_WITH_A_KEY),
    ],
    ids=str,
)
def test_the_bucket_refuses(ceph: Ceph, strong: Keys, deed: Deed, settings: dict[str, Any]) -> None:
    """Each statement by itself stops a writer who may do everything; without it nothing does."""
    scene = deeds.scene(ceph, strong)
    ceph.set_policy(scene.bucket, _only(deed, scene, **settings))
    assert _answer(ceph, strong, deed, scene) == "AccessDenied"
    ceph.client().delete_bucket_policy(Bucket=scene.bucket)
    assert _answer(ceph, strong, deed, scene) != "AccessDenied"


@pytest.mark.parametrize("deed", deeds.REFUSED_TO_ALL, ids=str)
def test_the_owner_deletes_nothing(ceph: Ceph, deed: Deed) -> None:
    """Nor does anybody else, nor bypass a lock, before the policy has been changed."""
    scene = deeds.scene(ceph, ceph.owner)
    ceph.set_policy(scene.bucket, _only(deed, scene))
    assert _answer(ceph, ceph.owner, deed, scene) == "AccessDenied"
    ceph.client().delete_bucket_policy(Bucket=scene.bucket)
    assert _answer(ceph, ceph.owner, deed, scene) == "done"


class Cast(NamedTuple):
    """A bucket without a policy, and two users with the roles' statements for it."""

    scene: Scene
    writer: Keys
    auditor: Keys


@pytest.fixture(scope="module")
def cast(ceph: Ceph, strong: Keys) -> Cast:
    """For deeds that are refused, or change nothing."""
    scene = deeds.scene(ceph, strong)
    roles = {
        "a-writer": policies.writer_statements(scene.bucket, deeds.PREFIX, sets_retention=True),
        "an-auditor": policies.auditor_statements(scene.bucket),
    }
    for user, statements in roles.items():
        ceph.set_user_policy(user, policy(*statements))
    return Cast(scene, *(ceph.user(user) for user in roles))


@pytest.mark.parametrize("deed", [*deeds.BEYOND_THE_ROLE, *deeds.REFUSED], ids=str)
def test_the_role_gives_no_more(ceph: Ceph, cast: Cast, deed: Deed) -> None:
    """Beside the prefix, or other than to add and to read, the role allows nothing, in a bucket
    without a policy too."""
    assert _answer(ceph, cast.writer, deed, cast.scene) == "AccessDenied"


@pytest.mark.parametrize("deed", deeds.BEYOND_THE_ROLE, ids=str)
def test_beyond_the_role_there_is_something(ceph: Ceph, strong: Keys, deed: Deed) -> None:
    """Whoever has the permission can do it: the refusal is the role's doing."""
    assert _answer(ceph, strong, deed, deeds.scene(ceph, strong)) != "AccessDenied"


def test_names_can_be_listed(ceph: Ceph, cast: Cast) -> None:
    """The writer sees all names in the bucket: S3 asks for this permission before it says that an
    object is missing, and knows no prefix then. README.md of the module says so."""
    listed = ceph.client(cast.writer).list_objects_v2(Bucket=cast.scene.bucket)
    assert deeds.BESIDE in [one["Key"] for one in listed["Contents"]]


@pytest.mark.parametrize("deed", deeds.READS, ids=str)
def test_the_auditor_reads(ceph: Ceph, cast: Cast, deed: Deed) -> None:
    """Objects, versions and locks, in the whole bucket."""
    assert _answer(ceph, cast.auditor, deed, cast.scene) == "done"


@pytest.mark.parametrize(
    "deed",
    [*deeds.WRITES, *deeds.REFUSED],
    ids=str,
)
def test_the_auditor_writes_nothing(ceph: Ceph, cast: Cast, deed: Deed) -> None:
    """Nor does it delete, lock, or change the bucket."""
    assert _answer(ceph, cast.auditor, deed, cast.scene) == "AccessDenied"


# ---- where this gateway is not AWS


@pytest.mark.parametrize("deed", deeds.NOT_ENFORCED, ids=str)
def test_what_this_gateway_does_not_enforce(ceph: Ceph, strong: Keys, deed: Deed) -> None:
    """It is done, although AWS's documentation says that the statement refuses it. When this fails
    the gateway has learned it: move the row to those that are refused."""
    scene = deeds.scene(ceph, strong)
    default = deed.statement == "WriterLeavesLocksAlone"
    only = _only(deed, scene, sets_retention=not default, kms_key_arn=KMS_KEY)
    assert only["Statement"]
    ceph.set_policy(scene.bucket, only)
    assert _answer(ceph, strong, deed, scene) == "done"


@pytest.mark.parametrize("deed", deeds.MISREAD, ids=str)
def test_what_this_gateway_misreads(ceph: Ceph, strong: Keys, deed: Deed) -> None:
    """It is refused, although AWS's documentation says that the statement lets it pass."""
    scene = deeds.scene(ceph, strong)
    denies = policies.bucket_denies(
        scene.bucket, writer_arn=_arn(STRONG), sets_retention=True, kms_key_arn=KMS_KEY
    )
    only = [statement for statement in denies if statement["Sid"] == deed.statement]
    ceph.set_policy(scene.bucket, policy(*policies.naming_principals(only)))
    assert _answer(ceph, strong, deed, scene) == "AccessDenied"


def test_no_action_is_denied_by_its_absence(ceph: Ceph, strong: Keys) -> None:
    """The gateway passes over NotAction: that is why the actions are spelled out here."""
    scene = deeds.scene(ceph, strong)
    denies = policies.bucket_denies(scene.bucket, writer_arn=_arn(STRONG), sets_retention=True)
    only = [statement for statement in denies if "NotAction" in statement]
    assert only
    ceph.set_policy(scene.bucket, policy(*policies.naming_principals(only)))
    tag = next(deed for deed in deeds.REFUSED if deed.name == "tag an object")
    assert _answer(ceph, strong, tag, scene) == "done"


def test_tls_is_not_looked_at(ceph: Ceph, strong: Keys) -> None:
    """Neither whether there is any, nor its version: not even one that no TLS has is too old."""
    scene = deeds.scene(ceph, strong)
    wanted = {"NobodyWithoutTls", "NobodyWithOldTls"}
    denies = [one for one in _denies(scene.bucket, STRONG) if one["Sid"] in wanted]
    assert len(denies) == len(wanted)
    ceph.set_policy(scene.bucket, json.loads(json.dumps(policy(*denies)).replace("1.2", "9")))
    for endpoint in (ceph.http_endpoint, ceph.endpoint):
        client = ceph.client(strong, endpoint=endpoint)
        client.put_object(Bucket=scene.bucket, Key="p/x", Body=b"x")


def test_every_statement_is_tried() -> None:
    """No statement of the module is without a deed, or a test of its own, save those of KMS, which
    S3 services that are not AWS do not have."""
    tables = (
        *(deeds.REFUSED, deeds.REFUSED_WITH_A_DEFAULT, deeds.REFUSED_WITH_A_KEY),
        *(deeds.BEYOND_THE_ROLE, deeds.READS, deeds.NOT_ENFORCED, deeds.MISREAD),
    )
    tried = {deed.statement for table in tables for deed in table}
    statements = [
        *policies.bucket_denies("b", writer_arn="w", sets_retention=True, kms_key_arn="k"),
        *policies.bucket_denies("b", writer_arn="w", sets_retention=False),
        *policies.writer_statements("b", "p", sets_retention=True),
        *policies.writer_statements("b", "", sets_retention=True),
        *policies.auditor_statements("b"),
    ]
    otherwise = {"NobodyWithoutTls", "NobodyWithOldTls", "KnowWhatIsMissing"}
    assert {statement["Sid"] for statement in statements} == tried | otherwise
