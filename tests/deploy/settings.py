"""What these tests give the Terraform module: two archives, and settings that are refused."""

from __future__ import annotations

from typing import NamedTuple

ACCOUNT = "123456789012"
"""moto's."""

REGION = "eu-central-1"

OBJECT = "example-audit-archive"
"""The bucket of examples/minimal: each upload carries its lock, logs lie below a prefix."""

DEFAULT = "audit-by-default"
"""The other one: the bucket locks what comes, logs lie at its top."""

BUCKETS = {OBJECT: "archive", DEFAULT: "other"}
"""Each with the name of its module."""

OTHER = """
module "other" {
  source = "../.."

  bucket_name            = "audit-by-default"
  mode                   = "GOVERNANCE"
  retention_days         = 30
  writer_sets_retention  = false
  auditor_principal_arns = ["arn:aws:iam::111122223333:root"]
  kms_admin_arns         = ["arn:aws:iam::123456789012:role/key-keeper"]
  transition_days        = 30
  expire_after_days      = 45
  tags                   = { team = "security" }

  writer_oidc = {
    provider_arn = "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id/1"
    subjects     = ["system:serviceaccount:audit:audit-shipper"]
  }
}

output "other_config" {
  value = module.other.config
}

variable "wrong" {
  default = false
}
"""

# Behind a variable, since `validate` would refuse constants already.
_WRONG = """
module "{name}" {{
  source = "../.."
  count  = var.wrong ? 1 : 0

{settings}
}}
"""


class Refused(NamedTuple):
    """A value in Terraform's language, and what is said of it."""

    value: str
    says: str = ""


_ANYBODY = """{
    provider_arn = "arn:aws:iam::123456789012:oidc-provider/x"
    subjects     = ["system:serviceaccount:*"]
  }"""
_EVERY_ACCOUNT = '["arn:aws:iam::*:root"]'
_DAYS = "retention_days must be a whole number from 1 to 36500"
_PREFIX = "prefix must be parts of A-Z a-z 0-9 _ . - joined by /"

REFUSED: dict[str, dict[str, Refused]] = {
    "one": {
        "bucket_name": Refused('"audit.archive"', "bucket_name must be 3 to 63 characters"),
        "prefix": Refused('"/k8s"', _PREFIX),
        "retention_days": Refused("0", _DAYS),
        "mode": Refused('"compliance"', "mode must be COMPLIANCE or GOVERNANCE"),
        "transition_days": Refused("10", "transition_days must be a whole number of at least 30"),
        "transition_storage_class": Refused('"DEEP_ARCHIVE"', "what a verifier can read at once"),
        "expire_after_days": Refused("401.5", "expire_after_days must be a whole number"),
        "writer_principal_arns": Refused(_EVERY_ACCOUNT, "writer_principal_arns must be ARNs"),
        "writer_oidc": Refused(_ANYBODY, "writer_oidc.subjects must name at least one subject"),
        "auditor_principal_arns": Refused("[]", "auditor_principal_arns must name at least one"),
        "kms_admin_arns": Refused(_EVERY_ACCOUNT, "kms_admin_arns must be ARNs"),
    },
    "two": {"prefix": Refused('"k*"', _PREFIX), "retention_days": Refused("1.5", _DAYS)},
    "three": {"prefix": Refused('"k8s/../x"', _PREFIX)},
    "four": {
        "expire_after_days": Refused("400", "expire_after_days must be more than retention_days"),
        "writer_principal_arns": Refused("[]", "Nobody could become the writer"),
    },
    "five": {
        "default_retention": Refused("false", "nothing would lock what is stored"),
        "writer_sets_retention": Refused("false"),
    },
}
"""Settings of archives that are refused, all those of one module at once."""


def wrong() -> str:
    """A module for each of these."""
    return "".join(_wrong(name, settings) for name, settings in REFUSED.items())


def _wrong(name: str, settings: dict[str, Refused]) -> str:
    least = {
        "bucket_name": f'"audit-{name}"',
        "writer_principal_arns": '["arn:aws:iam::111122223333:role/node"]',
        "auditor_principal_arns": '["arn:aws:iam::111122223333:root"]',
    }
    given = {key: f"var.wrong ? {wrong.value} : null" for key, wrong in settings.items()}
    lines = (f"  {key} = {value}" for key, value in (least | given).items())
    return _WRONG.format(name=name, settings="\n".join(lines))
