"""in-toto's and securesystemslib's side of the test: verifies what we signed, and signs for us.

Reads one JSON object from the standard input and writes one to the standard output:

    {"verify": [{"envelope": {...}, "keyid": "...", "pem": "..."}], "payload": "..."}
    {"verified": [true], "signed": [{"name": "...", "pem": "...", "envelope": {...}}]}
"""

import json
import sys

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from in_toto.exceptions import SignatureVerificationError
from in_toto.models.link import Link
from in_toto.models.metadata import Envelope
from securesystemslib.dsse import Envelope as Dsse
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

IN_TOTO = "application/vnd.in-toto+json"


def verifies(case):
    """Whether both libraries find the signature good."""
    public = load_pem_public_key(case["pem"].encode())
    key = SSlibKey.from_crypto(public, keyid=case["keyid"])
    # Reading changes what it is given.
    copies = [json.loads(json.dumps(case["envelope"])) for _ in range(2)]
    verdicts = []
    try:
        Envelope.from_dict(copies[0]).verify_signature({"keyid": key.keyid, **key.to_dict()})
        verdicts.append(True)
    except SignatureVerificationError:
        verdicts.append(False)
    try:
        Dsse.from_dict(copies[1]).verify([key], 1)
        verdicts.append(True)
    except VerificationError:
        verdicts.append(False)
    assert verdicts[0] == verdicts[1], "the libraries do not agree"
    return verdicts[0]


def signed(name, envelope, signer):
    """What we are given to verify."""
    envelope.sign(signer)
    pem = signer.public_key.keyval["public"]
    if signer.public_key.keytype == "ed25519":
        # Kept as the hexadecimal digits of the 32 bytes.
        pem = None
    return {
        "name": name,
        "pem": pem,
        "raw": None if pem else signer.public_key.keyval["public"],
        "envelope": envelope.to_dict(),
    }


def main():
    """One question, one answer."""
    asked = json.load(sys.stdin)
    payload = asked["payload"].encode()
    # As a program would write it that knows nothing of canonical JSON.
    loose = json.dumps(json.loads(payload), indent=2).encode()
    both = Envelope(loose, IN_TOTO, {})
    both.sign(CryptoSigner.generate_ed25519())
    answer = {
        "verified": [verifies(case) for case in asked["verify"]],
        "signed": [
            signed("ed25519", Envelope(payload, IN_TOTO, {}), CryptoSigner.generate_ed25519()),
            signed("ecdsa", Envelope(payload, IN_TOTO, {}), CryptoSigner.generate_ecdsa()),
            signed("loose", Dsse(loose, IN_TOTO, {}), CryptoSigner.generate_ecdsa()),
            signed("beside another", both, CryptoSigner.generate_ecdsa()),
            signed(
                "link",
                Envelope.from_signable(Link(name="build")),
                CryptoSigner.generate_ed25519(),
            ),
        ],
    }
    json.dump(answer, sys.stdout)


main()
