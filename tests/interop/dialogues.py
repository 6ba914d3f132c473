"""One dialogue of each mechanism that looks a user up, as a client without much arithmetic has it.

What a client computes costs more than what sasld does with it and would hide sasld's own time, so
the wrong answers here are well formed but guessed. Each function takes an AuthSocket, a user and a
password (None: guess) and returns (the challenge's text or "", the last reply).
"""
import base64
import hashlib
import hmac
import re

import clients

REALM = "mail.example.org"
SCRAM_HASHES = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-224": "sha224", "SCRAM-SHA-256": "sha256",
                "SCRAM-SHA-384": "sha384", "SCRAM-SHA-512": "sha512",
                "SCRAM-SHA3-512": "sha3_512"}


def text_of(reply):
    """What a CONT line asks."""
    assert reply is not None, "hung up on: a temporary failure"
    assert reply[0] == "CONT", reply
    return base64.b64decode(reply[1]).decode()


def plain(connection, user, password):
    return "", connection.auth("PLAIN", clients.plain(user, password or "guessed"))


def login(connection, user, password):
    challenge = text_of(connection.auth("LOGIN", clients.b64(user)))
    return challenge, connection.cont(clients.b64(password or "guessed"))


def scram(mechanism):
    algorithm = SCRAM_HASHES[mechanism]

    def dialogue(connection, user, password):
        client = clients.Scram(user, password or "", hash=algorithm)
        reply = connection.auth(mechanism, client.first())
        challenge = text_of(reply)
        if password:
            return challenge, connection.cont(client.final(reply[1]))
        nonce = challenge.split(",")[0][2:]
        proof = clients.b64(bytes(hashlib.new(algorithm).digest_size))
        return challenge, connection.cont(clients.b64(f"c=biws,r={nonce},p={proof}"))
    return dialogue


def cram_md5(connection, user, password):
    challenge = text_of(connection.auth("CRAM-MD5"))
    answer = hmac.digest((password or "").encode(), challenge.encode(), "md5").hex()
    return challenge, connection.cont(clients.b64(f"{user} {answer}"))


def digest_md5(connection, user, password):
    """RFC 2831 section 2.1.2."""
    def md5(data):
        return hashlib.md5(data if isinstance(data, bytes) else data.encode())
    challenge = text_of(connection.auth("DIGEST-MD5"))
    nonce = re.search(r'nonce="([^"]*)"', challenge)[1]
    cnonce, uri = "aGFsZiBvZiBhIG5vbmNl", "smtp/" + REALM
    secret = md5(f"{user}:{REALM}:{password or ''}").digest()
    a1 = md5(secret + f":{nonce}:{cnonce}".encode()).hexdigest()
    a2 = md5("AUTHENTICATE:" + uri).hexdigest()
    response = md5(f"{a1}:{nonce}:00000001:{cnonce}:auth:{a2}").hexdigest()
    return challenge, connection.cont(clients.b64(
        f'charset=utf-8,username="{user}",realm="{REALM}",nonce="{nonce}",nc=00000001,'
        f'cnonce="{cnonce}",digest-uri="{uri}",response={response},qop=auth'))


DIALOGUES = {"PLAIN": plain, "LOGIN": login, **{name: scram(name) for name in SCRAM_HASHES},
             "CRAM-MD5": cram_md5, "DIGEST-MD5": digest_md5}
