"""Names what looks like a secret: `path:line: kind`, one a line.

    scan.py                 standard input: paths, each ended by NUL

Nothing leaves the machine: a secret is known by its form and not tried.
"""

import linecache
import os
import re
import sys

from detect_secrets import SecretsCollection
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.settings import transient_settings

# Secrets with a form of their own. Not among them: detectors of entropy and of telling
# names, which see a secret in every hash and in every setting.
KINDS = [
    "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector",
    "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector",
    "JwtTokenDetector", "MailchimpDetector", "NpmDetector", "OpenAIDetector",
    "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector",
    "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector",
    "TwilioKeyDetector",
]
SETTINGS = {
    "plugins_used": [{"name": kind} for kind in KINDS],
    "filters_used": [{"path": "detect_secrets.filters.allowlist.is_line_allowlisted"}],
}
# Lock files hold hashes and addresses, made by package managers.
SKIPPED = ("Cargo.lock", "package-lock.json")
# Whoever may open a store of this machine is on this machine.
OWN_HOST = re.compile(r"@(127\.0\.0\.1|localhost|\[::1\]|host)([:/`'\"\s]|$)")


def forms() -> list[re.Pattern[str]]:
    """What the detectors look for."""
    plugins = get_mapping_from_secret_type_to_class().values()
    wanted = [plugin() for plugin in plugins if plugin.__name__ in KINDS]
    if len(wanted) != len(KINDS):
        raise SystemExit("a detector is missing")
    patterns = [pattern for plugin in wanted for pattern in plugin.denylist]
    return [re.compile(p.pattern, p.flags | re.MULTILINE) for p in patterns]


def worth_a_look(path: str, patterns: list[re.Pattern[str]]) -> bool:
    """Whether any detector would find something: quick, because it takes a file at once."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    return any(pattern.search(text) for pattern in patterns)


def is_none(path: str, line: int, value: str) -> bool:
    """Whether a value is to be filled in, as in `postgres://{name}:{password}@…`, or is
    good only on one's own machine."""
    text = linecache.getline(path, line)
    after = text.find(f":{value}@") + len(value) + 1
    return value.startswith(("{", "<", "$", "%")) or OWN_HOST.match(text, after) is not None


def main() -> None:
    patterns = forms()
    names = sys.stdin.buffer.read().decode().split("\0")
    files = [n for n in names if os.path.isfile(n) and not n.endswith(SKIPPED)]
    found = SecretsCollection()
    with transient_settings(SETTINGS):
        for path in files:
            if worth_a_look(path, patterns):
                found.scan_file(path)
    for path, secret in found:
        if not is_none(path, secret.line_number, secret.secret_value or ""):
            print(f"{path}:{secret.line_number}: {secret.type}")


if __name__ == "__main__":
    main()
