"""`x509_decode(pem)`: a certificate or signing request, as Go's JSON shows it.

Source: kyverno pkg/engine/jmespath/functions.go, Go crypto/x509. RSA alone, as there. The fields
that policies ask about; another one is not found, which is an error and never a guess.
"""

from __future__ import annotations

from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtensionOID, NameOID

from shipper.rules.dialects.kyverno.errors import EvaluationError

_MAX_CHARS = 64 * 1024
_NAMES = {
    "Country": NameOID.COUNTRY_NAME,
    "Organization": NameOID.ORGANIZATION_NAME,
    "OrganizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "Locality": NameOID.LOCALITY_NAME,
    "Province": NameOID.STATE_OR_PROVINCE_NAME,
    "StreetAddress": NameOID.STREET_ADDRESS,
    "PostalCode": NameOID.POSTAL_CODE,
}


def decoded(text: str) -> dict[str, Any]:
    """The fields of what the PEM block holds. Raises EvaluationError."""
    if len(text) > _MAX_CHARS:
        raise EvaluationError("not a PEM block")
    data = text.encode(errors="replace")
    try:
        if "-----BEGIN CERTIFICATE REQUEST-----" in text:
            return _common(x509.load_pem_x509_csr(data))
        return _certificate(x509.load_pem_x509_certificate(data))
    except (ValueError, TypeError, x509.DuplicateExtension) as error:
        raise EvaluationError(f"not a certificate: {type(error).__name__}") from None


def _certificate(found: x509.Certificate) -> dict[str, Any]:
    return {
        **_common(found),
        "Issuer": _name(found.issuer),
        "SerialNumber": found.serial_number,
        "NotBefore": found.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "NotAfter": found.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "IsCA": _is_ca(found),
    }


def _common(found: x509.Certificate | x509.CertificateSigningRequest) -> dict[str, Any]:
    key = found.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise EvaluationError("the certificate must use RSA")
    public = key.public_numbers()
    return {
        "Version": 3 if isinstance(found, x509.Certificate) else 0,
        "Subject": _name(found.subject),
        "PublicKey": {"N": str(public.n), "E": public.e},
        **_alternatives(found),
    }


def _name(name: x509.Name) -> dict[str, Any]:
    def values(oid: x509.ObjectIdentifier) -> list[str]:
        return [str(attribute.value) for attribute in name.get_attributes_for_oid(oid)]

    return {
        **{field: values(oid) or None for field, oid in _NAMES.items()},
        "CommonName": "".join(values(NameOID.COMMON_NAME)[-1:]),
        "SerialNumber": "".join(values(NameOID.SERIAL_NUMBER)[-1:]),
    }


def _alternatives(found: x509.Certificate | x509.CertificateSigningRequest) -> dict[str, Any]:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return dict.fromkeys(("DNSNames", "EmailAddresses", "IPAddresses", "URIs"))
    return {
        "DNSNames": names.get_values_for_type(x509.DNSName) or None,
        "EmailAddresses": names.get_values_for_type(x509.RFC822Name) or None,
        "IPAddresses": [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] or None,
        "URIs": names.get_values_for_type(x509.UniformResourceIdentifier) or None,
    }


def _is_ca(found: x509.Certificate) -> bool:
    try:
        extension = found.extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS)
    except x509.ExtensionNotFound:
        return False
    return isinstance(extension.value, x509.BasicConstraints) and extension.value.ca
