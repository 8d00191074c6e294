"""What is known of mail providers: hosts, limits and ways, each value with its source; `servers` may say otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

# Where nothing else is known: what RFC 5321, 6409 and 9051 allow, and four connections at once.
GENERIC = "generic"

# Who files a copy of what is submitted in the account's Sent folder: Gmail (support.google.com/mail/answer/78892; one
# that is appended doubles or replaces it, says zone-eu/wildduck's page on Gmail sending) and Microsoft
# (learn.microsoft.com, smtp-submission-improvements). Of Yahoo it is documented nowhere and reported both ways
# (MailCore/mailcore2#724): there none is filed unless the admin says so.
FILE_COPIES = frozenset({"gmail", "microsoft"})

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "gmail": {
        # developers.google.com/gmail/imap/imap-smtp
        "imap": "imap.gmail.com:993",
        "smtp": "smtp.gmail.com:465",
        # Sessions live 24 h; nine minutes are for the NATs between (RFC 9051 6.3.13: before 29).
        "idle_renewal": 540,
        # "Too many simultaneous connections" come at 15 of an account (zone-eu/wildduck#35), those of IMAP and of the
        # people's own mail programs among them.
        "connections": 3,
        # support.google.com/mail/answer/22839: 500 recipients in a rolling 24 h; with Workspace write 2000
        # (support.google.com/a/answer/166852).
        "per_day": 500,
        # support.google.com/mail/answer/6584: 25 MB with all enclosures.
        "max_size": 25_000_000,
        "replies": [
            # gen-smtp/gen_smtp#140, support.google.com/a/answer/3726730: the day's quota, and it says 550.
            {"status": "5.4.5", "means": "quota"},
            {"status": "4.4.5", "words": "quota", "means": "quota"},
            {"words": "daily smtp relay sending limit exceeded", "means": "quota"},
            {"words": "daily user sending limit exceeded", "means": "quota"},
            # 450 4.2.1 in its older form (the same page): the recipient gets mail too fast, and may again later.
            {"status": "5.2.1", "words": "receiving mail", "means": "later"},
            {"words": "too many simultaneous connections", "means": "crowded"},
        ],
    },
    "yahoo": {
        # help.yahoo.com SLN4075
        "imap": "imap.mail.yahoo.com:993",
        "smtp": "smtp.mail.yahoo.com:465",
        # Some servers end an IDLE after three minutes or so (MailCore/mailcore2#1274).
        "idle_renewal": 180,
        "connections": 2,
        # SLN3433: 20 messages on one connection, said of its MX; the same is no loss at the submission server.
        "per_connection": 20,
        # SLN17518: 500 mails a day, 100 recipients each.
        "per_day": 500,
        "recipients": 100,
        # Yahoo's help: 25 MB with all enclosures.
        "max_size": 25_000_000,
        "replies": [
            # nodemailer/nodemailer#1336: said to a second mail that came too soon; the same mail goes a little later.
            {"code": 554, "words": "6.6.0 error sending message", "means": "later"},
            # SLN26151: [TS01] to [TSS04] defer, whatever class they come with; those that say permanently do not.
            {"words": "temporarily deferred", "means": "later"},
            {"words": "sending limit", "means": "quota"},
        ],
    },
    "microsoft": {
        # support.microsoft.com: POP, IMAP and SMTP settings for Outlook.com; learn.microsoft.com, SMTP AUTH submission.
        "imap": "outlook.office365.com:993",
        "smtp": "smtp.office365.com:587",
        "idle_renewal": 540,
        # learn.microsoft.com/exchange/troubleshoot/send-emails/smtp-submission-improvements: three at once, else
        # 432 4.3.2; 30 messages a minute; 10,000 recipients in a rolling 24 h.
        "connections": 3,
        "per_minute": 30,
        "per_day": 10_000,
        # learn.microsoft.com, Exchange Online limits: 500 recipients a mail, 35 MB by default.
        "recipients": 500,
        "max_size": 35_000_000,
        "replies": [
            {"status": "4.3.2", "words": "concurrent", "means": "crowded"},
            {"status": "4.3.2", "words": "thread limit exceeded", "means": "crowded"},
            {"words": "submissionquotaexceeded", "means": "quota"},
            # MicrosoftDocs/OfficeDocs-Exchange#2729
            {"status": "5.1.90", "means": "quota"},
            # learn.microsoft.com, continuous error throttling: "throttled from sending for a period of time".
            *({"status": f"5.2.{detail}", "means": "quota"} for detail in range(251, 256)),
            # The recipient gets too much in an hour, from us or from all (the list of NDRs in Exchange Online).
            {"status": "5.2.121", "means": "later"},
            {"status": "5.2.122", "means": "later"},
        ],
    },
}

_DOMAINS: Mapping[str, str] = {
    **dict.fromkeys(("gmail.com", "googlemail.com"), "gmail"),
    **dict.fromkeys(("ymail.com", "rocketmail.com", "aol.com", "myyahoo.com"), "yahoo"),
    **dict.fromkeys(("outlook.com", "hotmail.com", "live.com", "msn.com", "outlook.co.id"), "microsoft"),
}
# Host names that an MX of these providers ends in.
_EXCHANGERS: Mapping[str, str] = {
    ".google.com": "gmail",
    ".googlemail.com": "gmail",
    ".yahoodns.net": "yahoo",
    ".protection.outlook.com": "microsoft",
    ".mx.microsoft": "microsoft",
}


def of_domain(address: str) -> str | None:
    """The preset of an address at a provider's own domain; asks nobody."""
    domain = address.rpartition("@")[2].lower()
    if domain.startswith("yahoo."):
        return "yahoo"
    return _DOMAINS.get(domain)


def of_exchangers(hosts: Iterable[str]) -> str | None:
    """The preset of a domain whose mail goes to these hosts (MX), or None.

    Where a mailbox is read does not hang on what DNS answers today: this is for advice, in `loket doctor` and
    `loket init`, and never for the configuration itself.
    """
    for host in hosts:
        name = f".{host.rstrip('.').lower()}"
        found = next((preset for end, preset in _EXCHANGERS.items() if name.endswith(end)), None)
        if found:
            return found
    return None
