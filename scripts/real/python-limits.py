"""The stock OpenAI client for Python against limits, with its own two retries. Reads one JSON object, prints one JSON line for each check."""

import json
import ssl
import sys
import time
from pathlib import Path

import openai

job = json.load(sys.stdin)
folder = Path(job["folder"])
tls = ssl.create_default_context(cafile=str(folder / "ca.crt"))
tls.load_cert_chain(str(folder / "client.crt"), str(folder / "client.key"))
messages = [{"role": "user", "content": "Hi"}]


class Wire:
    """The stock client of one role, and what it sent and got: time, status, wait that it was told."""

    def __init__(self, role):
        self.sent = []
        self.attempts = []
        hooks = {"request": [self._sends], "response": [self._gets]}
        self.api = openai.OpenAI(
            api_key=job["tokens"][role],
            base_url=job["base_url"],
            timeout=300,
            http_client=openai.DefaultHttpxClient(verify=tls, event_hooks=hooks),
        )

    def _sends(self, request):
        self.sent.append(time.monotonic())

    def _gets(self, response):
        told = response.headers.get("retry-after-ms")
        self.attempts.append((self.sent[-1], response.status_code, told))

    def chat(self, **more):
        options = {"model": job["model"], "messages": messages, "max_tokens": 8, **more}
        return self.api.chat.completions.create(**options)

    def statuses(self):
        return [status for _, status, _ in self.attempts]

    def obeyed(self):
        pairs = zip(self.attempts, self.attempts[1:])
        return all(after[0] - before[0] >= float(before[2]) / 1000 for before, after in pairs)


def thrown_by(call):
    try:
        call()
    except openai.APIStatusError as error:
        return error
    raise AssertionError("nothing was thrown")


def brisk():
    Wire("brisk").chat()
    wire = Wire("brisk")
    wire.chat()
    statuses = wire.statuses()
    assert len(statuses) >= 2 and statuses[-1] == 200, statuses
    assert wire.obeyed(), wire.attempts
    return f"{statuses}, told {[told for _, _, told in wire.attempts]} ms"


def once(role, code):
    def check():
        Wire(role).chat()
        wire = Wire(role)
        error = thrown_by(wire.chat)
        assert isinstance(error, openai.RateLimitError), error
        assert error.code == code, error.code
        assert wire.statuses() == [429], wire.statuses()
        return f"{wire.statuses()}, {error.type} {error.code}, retry-after {error.response.headers['retry-after']}"

    return check


def above():
    wire = Wire("small")
    error = thrown_by(lambda: wire.chat(max_tokens=400))
    assert isinstance(error, openai.BadRequestError), error
    assert (error.code, error.param) == ("request_above_limit", "max_tokens"), error
    assert wire.statuses() == [400], wire.statuses()
    return f"{wire.statuses()}, {error.code}"


def slot():
    stream = Wire("single").chat(stream=True, max_tokens=job["long_tokens"], logit_bias=job["endless"])
    next(iter(stream))
    wire = Wire("single")
    error = thrown_by(wire.chat)
    stream.close()
    assert error.code == "concurrency_limit_exceeded", error.code
    assert wire.statuses() == [429, 429, 429], wire.statuses()
    assert wire.obeyed(), wire.attempts
    return f"{wire.statuses()}, told {[told for _, _, told in wire.attempts]} ms"


def headers():
    raw = Wire("app").api.chat.completions.with_raw_response.create(
        model=job["model"], messages=messages, max_tokens=8
    )
    names = [f"x-ratelimit-{kind}-requests" for kind in ("limit", "remaining", "reset")]
    told = {name: raw.headers[name] for name in names}
    return ", ".join(told.values())


checks = {
    "a short wait is obeyed, then the call passes": brisk,
    "a wait above a minute: one attempt": once("hourly", "rate_limit_exceeded"),
    "a budget that is used up: one attempt": once("monthly", "insufficient_quota"),
    "a call above its limit: one attempt": above,
    "a slot that stays taken: three attempts": slot,
    "the raw headers can be read": headers,
}
for name, check in checks.items():
    try:
        print(json.dumps({"name": name, "ok": True, "note": check()}), flush=True)
    except Exception as error:
        print(json.dumps({"name": name, "ok": False, "note": f"{type(error).__name__}: {error}"}), flush=True)
