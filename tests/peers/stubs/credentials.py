#!/usr/bin/env python3
"""Plays every service that hands out AWS credentials, on one loopback port: STS, IAM Identity Center, Cognito identity
pools, a container's and an instance's metadata. Checks signatures with a reading of Signature Version 4 of its own.

usage: credentials.py PORT_FILE LOG_FILE [CERTIFICATE KEY]     writes its port, and one JSON line per request

The first part of a path chooses a behaviour:  /ok  /denied  /broken (500)  /flaky (500 once, then ok)  /silent (never
answers)  /v1 (an instance that has no IMDSv2)  /badtoken (400 on the token)  /soon (keys that expire in a minute)
/gone (an identity that is unknown, until GetId is asked)  /html
"""
import datetime, hashlib, hmac, json, os, re, ssl, sys, threading, time, urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRETS = {"AKIABASE": "base-secret", "AKIAOTHER": "other-secret"}
lock = threading.Lock()
seen = {}
log = open(sys.argv[2], "a", buffering=1)


def secret_of(access):
    return SECRETS.get(access, "secret-of-" + access)


def at(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def signer(handler, body):
    """The access key that signed the request, None where it is not signed, "" where the signature is wrong."""
    auth = handler.headers.get("Authorization")
    if auth is None or not auth.startswith("AWS4-HMAC-SHA256"):
        return None
    access, date, region, service, names, given = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})",
        auth).groups()
    path, _, query = handler.path.partition("?")
    canonical = "\n".join([handler.command, urllib.parse.quote(path, safe="/~-._"), query] +
                          [n + ":" + " ".join(handler.headers[n].split()) for n in names.split(";")] +
                          ["", names, hashlib.sha256(body).hexdigest()])
    if "x-amz-security-token" in handler.headers and "x-amz-security-token" not in names.split(";"):
        return ""
    text = "\n".join(["AWS4-HMAC-SHA256", handler.headers["x-amz-date"], f"{date}/{region}/{service}/aws4_request",
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4" + secret_of(access).encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return access if hmac.new(key, text.encode(), hashlib.sha256).hexdigest() == given else ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body, kind="application/json", **headers):
        if not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        _, self.mode, rest = (self.path.split("?")[0] + "/").split("/", 2)
        rest = "/" + rest.rstrip("/")
        with lock:
            times = seen[self.path] = seen.get(self.path, 0) + 1
            log.write(json.dumps({"method": self.command, "path": self.path, "body": body.decode("latin-1"),
                                  "headers": {k.lower(): v for k, v in self.headers.items()}}) + "\n")
        if self.mode == "broken" or (self.mode == "flaky" and times == 1):
            return self.answer(500, "")
        if self.mode == "silent":
            time.sleep(30)
            return None
        if self.mode == "html":
            return self.answer(200, "<html><title>Log in to the hotel</title></html>", "text/html")
        if self.mode == "htmlerror":
            return self.answer(404, "<html><title>nginx</title></html>", "text/html")
        target = self.headers.get("X-Amz-Target", "")
        if rest.startswith("/latest/"):
            return self.instance(rest)
        if rest == "/container":
            return self.container()
        if rest == "/federation/credentials":
            return self.portal()
        if rest == "/token":
            return self.oidc(json.loads(body))
        if target.startswith("AWSCognitoIdentityService."):
            return self.cognito(target.split(".")[1], json.loads(body))
        if target:
            return self.service(target, body)
        return self.sts(dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True)), body)

    do_GET = do_POST = do_PUT = any

    def do_CONNECT(self):
        log.write(json.dumps({"method": "CONNECT", "path": self.path}) + "\n")
        self.answer(403, "this proxy lets nobody through", "text/plain")

    # -- what each of them answers --

    def keys(self, access, secret="SecretAccessKey", token="SessionToken"):
        return {"AccessKeyId": access, secret: secret_of(access), token: "token-of-" + access,
                "Expiration": at(60 if self.mode == "soon" else 3600)}

    def sts(self, form, body):
        by = signer(self, body)
        web = form.get("Action") == "AssumeRoleWithWebIdentity"
        if by == "" or (by is None and not web) or self.mode == "denied" or (
                web and form.get("WebIdentityToken") != "web token/1"):
            return self.answer(403, "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User "
                                    "&lt;x&gt; may not do this</Message></Error></ErrorResponse>", "text/xml")
        if form["Action"] == "GetCallerIdentity":
            return self.answer(200, f"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/{by}"
                                    "</Arn><UserId>U</UserId><Account>123456789012</Account></GetCallerIdentityResult>"
                                    "</GetCallerIdentityResponse>", "text/xml")
        name = form["RoleArn"].split("/")[-1]
        k = self.keys(f"ROLE-{name}-BY-{by or 'WEB'}-{form.get('ExternalId', 'none')}-{form.get('DurationSeconds', 'none')}")
        return self.answer(200, "<AssumeRoleResponse><AssumeRoleResult><Credentials>" +
                           "".join(f"<{n}>{v}</{n}>" for n, v in k.items()) +
                           "</Credentials></AssumeRoleResult></AssumeRoleResponse>", "text/xml")

    def instance(self, path):
        if path == "/latest/api/token":
            if self.command != "PUT" or self.mode in ("v1", "badtoken"):
                return self.answer(400 if self.mode == "badtoken" else 404, "no", "text/plain")
            return self.answer(200, "imds-token", "text/plain")
        if self.mode != "v1" and self.headers.get("x-aws-ec2-metadata-token") != "imds-token":
            return self.answer(401, "who are you", "text/plain")
        if path == "/latest/meta-data/iam/security-credentials":
            return self.answer(200, "the-role\n", "text/plain") if self.mode != "norole" else self.answer(404, "")
        if self.mode == "failed":
            return self.answer(200, {"Code": "AssumeRoleUnauthorizedAccess", "Message": "cannot"})
        return self.answer(200, {"Code": "Success", "Type": "AWS-HMAC", **self.keys("INSTANCE", token="Token")})

    def container(self):
        if self.headers.get("Authorization") not in ("pod token", None):
            return self.answer(403, {"code": "AccessDenied", "message": "wrong token"})
        return self.answer(200, self.keys("CONTAINER" + ("-AUTH" if "Authorization" in self.headers else ""), token="Token"))

    def portal(self):
        query = urllib.parse.parse_qs(self.path.partition("?")[2])
        bearer = self.headers.get("x-amz-sso_bearer_token", "")
        if not bearer.startswith("good"):
            return self.answer(401, {"__type": "com.amazonaws.switchboard.portal#UnauthorizedException", "message": "Session token not found or invalid"})
        access = f"SSO-{query['account_id'][0]}-{query['role_name'][0]}-{bearer}"
        return self.answer(200, {"roleCredentials": {"accessKeyId": access, "secretAccessKey": secret_of(access),
                                                     "sessionToken": "t", "expiration": int((time.time() + 3600) * 1000)}})

    def oidc(self, ask):
        if ask.get("grantType") != "refresh_token" or ask.get("refreshToken") != "refresh-1" or ask.get("clientSecret") != "client \"secret\"":
            return self.answer(400, {"error": "invalid_grant", "error_description": "no"})
        return self.answer(200, {"accessToken": "good-renewed", "expiresIn": 3600, "refreshToken": "refresh-2", "tokenType": "Bearer"})

    def cognito(self, operation, ask):
        if "Authorization" in self.headers:
            return self.answer(400, {"__type": "InvalidParameterException", "message": "signed"})
        logins = ask.get("Logins")
        if operation == "GetId":
            if self.mode == "denied":
                return self.answer(400, {"__type": "NotAuthorizedException", "message": "Unauthenticated access is not supported for this identity pool."})
            seen["identities"] = seen.get("identities", 0) + 1
            return self.answer(200, {"IdentityId": ask["IdentityPoolId"].split(":")[0] + ":identity-" + ("user" if logins else str(seen["identities"]))})
        if logins is not None and logins != {"idp.example.com": "login-token"}:
            return self.answer(400, {"__type": "NotAuthorizedException", "message": "Invalid login token."})
        if self.mode == "gone" and ask["IdentityId"].endswith("old"):
            return self.answer(400, {"__type": "ResourceNotFoundException", "message": "Identity '...' not found."})
        access = "COGNITO-" + ask["IdentityId"].split(":")[1]
        return self.answer(200, {"IdentityId": ask["IdentityId"], "Credentials": {
            "AccessKeyId": access, "SecretKey": secret_of(access), "SessionToken": "t", "Expiration": time.time() + 3600.5}})

    def service(self, target, body):
        by = signer(self, body)
        if not by:
            return self.answer(400, {"__type": "com.amazon.coral.service#InvalidSignatureException", "message": "The request signature we calculated does not match"})
        return self.answer(200, {"by": by})


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
with open(sys.argv[1] + ".new", "w") as f:
    f.write(str(server.server_port))
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
