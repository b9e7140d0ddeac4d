"""Descriptions of S3 that are read by another reader than botocore's own."""

from __future__ import annotations

import botocore.loaders
import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

from shipper.store.s3.models import MODELS


@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1"])
def test_they_say_what_botocore_reads(kind: str) -> None:
    """All of it, in the same order, and once for all clients."""
    fresh = Loader(file_loader=MODELS.file_loader)  # clients rewrite paths in what they share
    own = fresh.load_service_model("s3", kind)
    botocores = botocore.loaders.create_loader().load_service_model("s3", kind)
    assert own == botocores
    assert list(own) == list(botocores)
    assert MODELS.load_service_model("s3", kind) is MODELS.load_service_model("s3", kind)


def test_what_is_not_described_is_an_error() -> None:
    """Of the kind that botocore knows."""
    with pytest.raises(UnknownServiceError):
        MODELS.load_service_model("s4", "service-2")
