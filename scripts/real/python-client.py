"""The stock OpenAI client for Python against the gateway. Reads one JSON object, prints one JSON line for each check."""

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
messages = [{"role": "user", "content": "Tell me about gates with two doors."}]


def client(token):
    return openai.OpenAI(
        api_key=token,
        base_url=job["base_url"],
        max_retries=0,
        timeout=300,
        http_client=openai.DefaultHttpxClient(verify=tls),
    )


api = client(job["token"])


def chat(**more):
    options = {"model": job["model"], "messages": messages, "max_tokens": job["tokens"], **more}
    return api.chat.completions.create(**options)


def whole():
    reply = chat()
    assert reply.choices[0].message.content, "no text"
    assert reply.usage.completion_tokens > 0, "no usage"
    assert reply.model == job["model"], reply.model
    return f"{reply.usage.completion_tokens} tokens, openai {openai.__version__}"


def stream():
    text, finished, usage = "", None, None
    for chunk in chat(stream=True, stream_options={"include_usage": True}):
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
            finished = chunk.choices[0].finish_reason or finished
        usage = chunk.usage or usage
    assert text and finished, "no text, or no end"
    assert usage.completion_tokens > 0, "no usage"
    return f"{usage.completion_tokens} tokens, ended by {finished}"


def refusal():
    try:
        chat(extra_body={"grammar": 'root ::= "x"'})
    except openai.BadRequestError as error:
        assert error.code == "unsupported_parameter", error.code
        return f"{error.status_code} {error.code}"
    raise AssertionError("a grammar of the caller was accepted")


def stranger():
    try:
        client("nobody").models.list()
    except openai.AuthenticationError as error:
        return f"{error.status_code} {error.code}"
    raise AssertionError("a token of nobody was accepted")


def without_certificate():
    trusting = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    bare = openai.OpenAI(
        api_key=job["token"],
        base_url=job["base_url"],
        max_retries=0,
        http_client=openai.DefaultHttpxClient(verify=trusting),
    )
    try:
        bare.models.list()
    except openai.APIConnectionError as error:
        return type(error.__cause__).__name__
    raise AssertionError("a caller without a certificate was served")


def abort():
    reply = chat(stream=True, max_tokens=job["long_tokens"], logit_bias=job["endless"])
    chunks = 0
    began = time.monotonic()
    for _ in reply:
        chunks += 1
        if chunks == 5:
            reply.close()
            break
    return f"after {chunks} chunks, {1000 * (time.monotonic() - began):.0f} ms"


checks = {
    "a chat in one piece": whole,
    "a streamed chat with usage": stream,
    "a refusal is its typed error": refusal,
    "a token of nobody is its typed error": stranger,
    "no certificate, no connection": without_certificate,
    "abort in a stream": abort,
}
for name, check in checks.items():
    try:
        print(json.dumps({"name": name, "ok": True, "note": check()}), flush=True)
    except Exception as error:
        print(json.dumps({"name": name, "ok": False, "note": f"{type(error).__name__}: {error}"}), flush=True)
