"""The functions that Kubernetes and Kyverno offer to CEL, as far as the engine has them not.

One file each. See https://kubernetes.io/docs/reference/using-api/cel, and the source that each file
names.
"""

from shipper.rules.cel.library import (
    authorizer,
    cidr,
    conversion,
    formats,
    ip,
    kyverno,
    lists,
    maps,
    quantity,
    regex,
    semver,
    sets,
    strings,
    url,
)

FUNCTIONS = (
    *authorizer.FUNCTIONS,
    *cidr.FUNCTIONS,
    *conversion.FUNCTIONS,
    *formats.FUNCTIONS,
    *ip.FUNCTIONS,
    *lists.FUNCTIONS,
    *maps.FUNCTIONS,
    *quantity.FUNCTIONS,
    *regex.FUNCTIONS,
    *semver.FUNCTIONS,
    *sets.FUNCTIONS,
    *strings.FUNCTIONS,
    *url.FUNCTIONS,
)
"""What an expression of Kubernetes' own may call."""

EVERY = (*FUNCTIONS, *kyverno.FUNCTIONS)
"""What an expression of any policy may call."""
