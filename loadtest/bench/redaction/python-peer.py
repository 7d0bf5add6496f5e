"""Runs a Python detector behind the line protocol of line-worker.ts: python-peer.py PACKAGE"""

import contextlib
import json
import os
import sys
import tempfile
import time

until_end = contextlib.ExitStack()


def presidio():
    import spacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    # The list of suffixes that comes with the package: a benchmark asks the network for nothing.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())

    class BlankPipeline(SpacyNlpEngine):
        """No model: what is measured is the pattern recognizers."""

        def __init__(self):
            super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
            self.nlp = {"en": spacy.blank("en")}

        def load(self):
            pass

    engine = AnalyzerEngine(nlp_engine=BlankPipeline(), supported_languages=["en"])

    def find(text):
        found = engine.analyze(text, language="en", score_threshold=0.4)
        return [(each.start, each.end, each.entity_type) for each in found]

    return find


def detect_secrets():
    from detect_secrets import SecretsCollection
    from detect_secrets.settings import default_settings

    # The documented way in: scan_line is for single strings, and reports every word with its entropy.
    folder = until_end.enter_context(tempfile.TemporaryDirectory(prefix="sallyport-detect-secrets-"))
    until_end.enter_context(default_settings())
    path = os.path.join(folder, "text.txt")

    def secrets_of(text):
        with open(path, "w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(text)
        secrets = SecretsCollection()
        secrets.scan_file(path)
        return {secret.secret_value for _, secret in secrets if secret.secret_value}

    def find(text):
        found = []
        for value in secrets_of(text):
            at = text.find(value)
            while at >= 0:
                found.append((at, at + len(value), "SECRET"))
                at = text.find(value, at + len(value))
        return found

    return find


def units(text, index):
    """UTF-16 code units before a code point."""
    return len(text[:index].encode("utf-16-le", "surrogatepass")) // 2


def row(text, found):
    return {
        "findings": [
            {"start": units(text, start), "end": units(text, end), "label": label}
            for start, end, label in found
            if end > start
        ]
    }


find = {"presidio-analyzer": presidio, "detect-secrets": detect_secrets}[sys.argv[1]]()
for line in sys.stdin:
    request = json.loads(line)
    started = time.thread_time()
    results = [find(text) for text in request["texts"]]
    ms = (time.thread_time() - started) * 1000
    if request["op"] == "mask":
        answer = {"rows": [row(text, found) for text, found in zip(request["texts"], results)]}
    else:
        answer = {"ms": ms}
    print(json.dumps(answer), flush=True)
