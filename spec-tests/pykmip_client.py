#!/usr/bin/python3
"""PyKMIP's client at a server: one protocol version, every operation it has.

    pykmip_client.py VERSION PORT PKI

VERSION is 1.0 to 1.4 or 2.0, PKI a folder of harness/pki.sh. Prints a line for
each thing that was asked and answered as it must be; ends with a traceback and
exit code 1 at the first that was not. docs/pykmip.md lists what PyKMIP cannot
do, and how it is worked around here: look for `limit:`.
"""

import itertools
import sys
import warnings

warnings.simplefilter("ignore")  # of PyKMIP, on ssl and old ciphers

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: E402
from kmip import enums  # noqa: E402
from kmip.core.attributes import Name  # noqa: E402
from kmip.core.factories.attributes import AttributeFactory  # noqa: E402
from kmip.core.messages.contents import ProtocolVersion  # noqa: E402
from kmip.pie import objects  # noqa: E402
from kmip.pie.client import ProxyKmipClient  # noqa: E402
from kmip.pie.exceptions import KmipOperationFailure  # noqa: E402

VERSIONS = ["1.0", "1.1", "1.2", "1.3", "1.4", "2.0", "2.1"]
AES = enums.CryptographicAlgorithm.AES
RSA = enums.CryptographicAlgorithm.RSA
MASK = enums.CryptographicUsageMask
REASON = enums.ResultReason
STATE = enums.State
TYPE = enums.ObjectType

version, port, pki = sys.argv[1], int(sys.argv[2]), sys.argv[3]
serial = itertools.count()
kmip = enums.KMIPVersion["KMIP_" + version.replace(".", "_")]
attribute = AttributeFactory().create_attribute


def client(name):
    return ProxyKmipClient(
        hostname="127.0.0.1", port=port, cert=f"{pki}/{name}.crt",
        key=f"{pki}/{name}.key", ca=f"{pki}/ca.crt",
        config_file="/dev/null",  # not that of whoever runs this
        kmip_version=kmip)


def equal(got, want):
    assert got == want, f"\nexpected {want!r}\ngot      {got!r}"


def refused(reasons, call, *args, **named):
    """The call must be refused, for one of the reasons."""
    try:
        got = call(*args, **named)
    except KmipOperationFailure as e:
        equal(e.status, enums.ResultStatus.OPERATION_FAILED)
        assert e.reason in reasons, f"{e.reason}: {e.message}"
        return
    raise AssertionError(f"not refused: {got!r}")


NOBODY = {REASON.ITEM_NOT_FOUND} if kmip < enums.KMIPVersion.KMIP_2_0 else {
    REASON.ITEM_NOT_FOUND, REASON.OBJECT_NOT_FOUND}
GONE = NOBODY | {REASON.OBJECT_DESTROYED, REASON.PERMISSION_DENIED}
WRONG_STATE = {REASON.PERMISSION_DENIED, REASON.WRONG_KEY_LIFECYCLE_STATE}


def attributes(c, uid, *names):
    """Their values by name; those that are many as a list."""
    got_uid, found = c.get_attributes(uid, list(names))
    equal(got_uid, uid)
    values = {}
    for a in found:
        value = a.attribute_value
        values.setdefault(a.attribute_name.value, []).append(
            str(value) if isinstance(value, Name)
            else getattr(value, "value", value))
    return values


def state(c, uid):
    return attributes(c, uid, "State")["State"][0]


def masks(number):
    return {m for m in MASK if number & m.value}


def query(c, _other):
    fn = enums.QueryFunction
    asked = [fn.QUERY_OPERATIONS, fn.QUERY_OBJECTS, fn.QUERY_SERVER_INFORMATION]
    got = c.proxy.query(query_functions=asked)
    equal(got.result_status.value, enums.ResultStatus.SUCCESS)
    op = enums.Operation
    expected = {op.CREATE, op.CREATE_KEY_PAIR, op.REGISTER, op.LOCATE, op.GET,
                op.GET_ATTRIBUTES, op.ACTIVATE, op.REVOKE, op.DESTROY, op.QUERY}
    assert expected <= set(got.operations), got.operations
    equal(op.DISCOVER_VERSIONS in got.operations, version != "1.0")
    equal(op.INTEROP in got.operations, version == "2.0")
    assert {TYPE.SYMMETRIC_KEY, TYPE.PUBLIC_KEY, TYPE.PRIVATE_KEY,
            TYPE.CERTIFICATE, TYPE.SECRET_DATA,
            TYPE.OPAQUE_DATA} <= set(got.object_types), got.object_types
    equal(TYPE.TEMPLATE in got.object_types, version < "2.0")
    equal(TYPE.PGP_KEY in got.object_types, version >= "1.2")
    assert got.vendor_identification


def discover_versions(c, _other):
    if version == "1.0":  # which has it not yet
        try:
            got = c.proxy.discover_versions()
        except AttributeError:
            return  # limit: a failure has no payload, and PyKMIP looks into it
        equal(got.result_status.value, enums.ResultStatus.OPERATION_FAILED)
        return
    got = c.proxy.discover_versions()
    equal([f"{v.major}.{v.minor}" for v in got.protocol_versions],
          VERSIONS[::-1])
    chosen = [ProtocolVersion(9, 9), ProtocolVersion(1, 1)]
    got = c.proxy.discover_versions(protocol_versions=chosen)
    equal([f"{v.major}.{v.minor}" for v in got.protocol_versions], ["1.1"])


def create(c, other):
    uid = c.create(AES, 256, name="disk 1",
                   cryptographic_usage_mask=[MASK.ENCRYPT, MASK.DECRYPT])
    key = c.get(uid)
    equal(type(key), objects.SymmetricKey)
    equal((key.cryptographic_algorithm, key.cryptographic_length), (AES, 256))
    equal(key.key_format_type, enums.KeyFormatType.RAW)
    equal(len(key.value), 32)
    equal(c.get(uid).value, key.value)
    second = c.create(AES, 256)
    assert c.get(second).value != key.value
    equal(len(c.get(c.create(AES, 128)).value), 16)
    refused({REASON.INVALID_FIELD, REASON.INVALID_ATTRIBUTE_VALUE,
             REASON.CRYPTOGRAPHIC_FAILURE}, c.create, AES, 100)
    refused(NOBODY | {REASON.PERMISSION_DENIED}, other.get, uid)
    equal(c.get(uid).value, key.value)


def get_attributes(c, _other):
    uid = c.create(AES, 192, name="attributes",
                   cryptographic_usage_mask=[MASK.MAC_GENERATE])
    got = attributes(c, uid, "Name", "State", "Object Type",
                     "Unique Identifier", "Cryptographic Algorithm",
                     "Cryptographic Length", "Cryptographic Usage Mask")
    # limit: create asks for Encrypt and Decrypt beside what it was told
    equal(masks(got.pop("Cryptographic Usage Mask")[0]),
          {MASK.ENCRYPT, MASK.DECRYPT, MASK.MAC_GENERATE})
    equal(got, {"Name": ["attributes"], "State": [STATE.PRE_ACTIVE], "Unique Identifier": [uid],
                "Object Type": [TYPE.SYMMETRIC_KEY],
                "Cryptographic Algorithm": [AES],
                "Cryptographic Length": [192]})
    equal(attributes(c, uid, "Activation Date"), {})
    # limit: it cannot read all of an object's attributes, but those of 1.1
    if version == "1.1":
        equal(set(attributes(c, uid)), set(c.get_attribute_list(uid)))
    refused(NOBODY, c.get_attributes, "nobody", ["State"])


def get_attribute_list(c, _other):
    uid = c.create(AES, 128, name="attribute list")
    names = set(c.get_attribute_list(uid))
    assert {"Unique Identifier", "Name", "State", "Object Type",
            "Initial Date", "Last Change Date", "Cryptographic Algorithm",
            "Cryptographic Length", "Cryptographic Usage Mask",
            "Digest"} <= names, names
    equal("Original Creation Date" in names, version >= "1.2")
    equal("Activation Date" in names, False)
    c.activate(uid)
    equal("Activation Date" in c.get_attribute_list(uid), True)
    refused(NOBODY, c.get_attribute_list, "nobody")


def locate(c, other):
    kind = enums.AttributeType
    uid = c.create(AES, 128, name="here")
    by_name = [attribute(kind.NAME, "here")]
    equal(c.locate(attributes=by_name), [uid])
    equal(c.locate(attributes=[attribute(kind.NAME, "elsewhere")]), [])
    equal(c.locate(attributes=by_name + [
        attribute(kind.CRYPTOGRAPHIC_LENGTH, 256)]), [])
    secret = c.register(objects.SecretData(
        b"located", enums.SecretDataType.PASSWORD, [MASK.DERIVE_KEY]))
    found = c.locate(attributes=[attribute(kind.OBJECT_TYPE,
                                           TYPE.SECRET_DATA)])
    assert secret in found and uid not in found, found
    # limit: at 2.0 a Locate without attributes lacks the field Attributes
    everything = [] if version < "2.0" else [
        attribute(kind.CRYPTOGRAPHIC_ALGORITHM, AES)]
    equal(len(c.locate(maximum_items=2, attributes=everything)), 2)
    equal(other.locate(attributes=by_name), [])


def life_cycle(c, _other):
    code = enums.RevocationReasonCode
    uid = c.create(AES, 256)
    equal(state(c, uid), STATE.PRE_ACTIVE)
    c.activate(uid)
    equal(state(c, uid), STATE.ACTIVE)
    refused(WRONG_STATE, c.activate, uid)
    refused(WRONG_STATE, c.destroy, uid)
    equal(state(c, uid), STATE.ACTIVE)
    c.revoke(code.CESSATION_OF_OPERATION, uid, "out of use")
    equal(state(c, uid), STATE.DEACTIVATED)
    c.destroy(uid)
    equal(state(c, uid), STATE.DESTROYED)
    refused(GONE, c.get, uid)
    refused(GONE, c.destroy, uid)
    lost = c.create(AES, 256)
    c.revoke(code.KEY_COMPROMISE, lost)
    equal(state(c, lost), STATE.COMPROMISED)
    c.destroy(lost)
    equal(state(c, lost), STATE.DESTROYED_COMPROMISED)
    refused(NOBODY, c.activate, "nobody")
    refused(NOBODY, c.revoke, code.KEY_COMPROMISE, "nobody")
    refused(NOBODY, c.destroy, "nobody")


def check(c, _other):
    uid = c.create(AES, 128, cryptographic_usage_mask=[MASK.ENCRYPT])
    c.activate(uid)
    equal(c.check(uid, cryptographic_usage_mask=[MASK.ENCRYPT]), uid)
    # What is not allowed comes back; PyKMIP's own look at it is too short.
    got = c.proxy.check(uid, cryptographic_usage_mask=[MASK.SIGN])
    equal(got.get("cryptographic_usage_mask"), [MASK.SIGN])


def public_numbers(key):
    """Of a public or private key, whatever its format."""
    fmt = enums.KeyFormatType
    if key.key_format_type in (fmt.PKCS_1, fmt.PKCS_8) and isinstance(
            key, objects.PrivateKey):
        return serialization.load_der_private_key(
            key.value, None).public_key().public_numbers()
    return serialization.load_der_public_key(key.value).public_numbers()


def create_key_pair(c, other):
    public, private = c.create_key_pair(
        RSA, 2048, public_name="pair public", private_name="pair private",
        public_usage_mask=[MASK.VERIFY], private_usage_mask=[MASK.SIGN])
    halves = c.get(public), c.get(private)
    equal([type(h) for h in halves], [objects.PublicKey, objects.PrivateKey])
    for half in halves:
        equal((half.cryptographic_algorithm, half.cryptographic_length),
              (RSA, 2048))
    equal(public_numbers(halves[0]), public_numbers(halves[1]))
    equal(public_numbers(halves[0]).n.bit_length(), 2048)
    equal(masks(attributes(c, private, "Cryptographic Usage Mask")[
        "Cryptographic Usage Mask"][0]), {MASK.SIGN})
    again, _ = c.create_key_pair(
        RSA, 2048, public_usage_mask=[MASK.VERIFY],
        private_usage_mask=[MASK.SIGN])
    assert public_numbers(c.get(again)) != public_numbers(halves[0])
    refused(NOBODY | {REASON.PERMISSION_DENIED}, other.get, private)


def same_object(c, given):
    """What was registered is what Get gives back."""
    # limit: an object that is given no name is called after its type
    given.names = [f"registered {next(serial)}"]
    uid = c.register(given)
    got = c.get(uid)
    equal(type(got), type(given))
    equal(got.value, given.value)
    return uid, got


def register(c, other):
    fmt = enums.KeyFormatType
    raw = bytes(range(16))
    uid, got = same_object(c, objects.SymmetricKey(
        AES, 128, raw, [MASK.ENCRYPT, MASK.DECRYPT]))
    equal(got.cryptographic_length, 128)
    refused(NOBODY | {REASON.PERMISSION_DENIED}, other.get, uid)

    key = rsa.generate_private_key(65537, 2048)
    der = serialization.Encoding.DER
    clear = serialization.NoEncryption()
    private = serialization.PrivateFormat
    public = serialization.PublicFormat
    for how, octets in (
            (fmt.PKCS_1, key.private_bytes(
                der, private.TraditionalOpenSSL, clear)),
            (fmt.PKCS_8, key.private_bytes(der, private.PKCS8, clear))):
        _, got = same_object(c, objects.PrivateKey(
            RSA, 2048, octets, how, [MASK.SIGN]))
        equal(got.key_format_type, how)
    for how, octets in (
            (fmt.PKCS_1, key.public_key().public_bytes(der, public.PKCS1)),
            (fmt.X_509, key.public_key().public_bytes(
                der, public.SubjectPublicKeyInfo))):
        _, got = same_object(c, objects.PublicKey(
            RSA, 2048, octets, how, [MASK.VERIFY]))
        equal(got.key_format_type, how)

    with open(f"{pki}/server.crt", "rb") as f:
        certificate = x509.load_pem_x509_certificate(f.read())
    same_object(c, objects.X509Certificate(
        certificate.public_bytes(der), [MASK.VERIFY]))
    refused({REASON.INVALID_FIELD, REASON.INVALID_MESSAGE,
             REASON.CRYPTOGRAPHIC_FAILURE, REASON.INVALID_ATTRIBUTE_VALUE},
            c.register, objects.X509Certificate(b"no certificate"))

    _, got = same_object(c, objects.SecretData(
        b"correct horse", enums.SecretDataType.PASSWORD, [MASK.DERIVE_KEY]))
    equal(got.data_type, enums.SecretDataType.PASSWORD)
    # limit: of the vendors' Opaque Data Types PyKMIP knows only the empty one
    same_object(c, objects.OpaqueObject(
        b"\x00\xff anything", enums.OpaqueDataType.NONE))


def main():
    with client("alice") as alice, client("bob") as bob:
        for step in (query, discover_versions, create, get_attributes,
                     get_attribute_list, locate, life_cycle, check,
                     create_key_pair, register):
            step(alice, bob)
            print(step.__name__, flush=True)


main()
