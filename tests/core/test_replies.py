"""What a refusal means: by a provider's own ways, by its enhanced status code, by its class."""

from __future__ import annotations

import pytest

from loket.config.presets import PRESETS
from loket.config.servers import Server
from loket.core.replies import Meaning, Reply, meaning, status_of


@pytest.mark.parametrize(
    ("code", "said", "means"),
    [
        (421, "4.7.0 Try again later, closing connection.", Meaning.LATER),
        (450, "4.2.1 The user is receiving mail too quickly.", Meaning.LATER),
        (452, "4.5.3 Your message has too many recipients.", Meaning.LATER),
        (451, "no enhanced status at all", Meaning.LATER),
        (550, "5.4.5 Daily user sending quota exceeded.", Meaning.LATER),
        (552, "5.2.2 mailbox full", Meaning.LATER),
        (554, "5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException", Meaning.LATER),
        (552, "5.3.1 Mail system full", Meaning.LATER),
        (550, "5.4.1 No answer from host", Meaning.LATER),
        (552, "5.5.3 Too many recipients", Meaning.LATER),
        (550, "5.1.1 No such user", Meaning.NEVER),
        (550, "5.2.1 Mailbox disabled", Meaning.NEVER),
        (552, "5.3.4 Message too big", Meaning.NEVER),
        (554, "5.4.6 Routing loop", Meaning.NEVER),
        (550, "5.7.1 Refused by policy", Meaning.NEVER),
        (550, "see 5.4.5 of the manual", Meaning.NEVER),
        (554, "", Meaning.NEVER),
        (530, "5.7.0 Authentication Required", Meaning.SESSION),
        (535, "5.7.8 Authentication credentials invalid", Meaning.SESSION),
    ],
)
def test_what_a_refusal_means_without_knowing_who_says_it(code: int, said: str, means: Meaning) -> None:
    assert meaning(code, said) is means


@pytest.mark.parametrize(
    ("preset", "code", "said", "means"),
    [
        ("gmail", 550, "5.4.5 Daily user sending quota exceeded. o65sm25351206pga.71 - gsmtp", Meaning.QUOTA),
        ("gmail", 550, "5.4.5 Daily SMTP relay limit exceeded for customer.", Meaning.QUOTA),
        ("gmail", 421, "4.7.0 Try again later, closing connection.", Meaning.LATER),
        ("gmail", 450, "4.2.1 The user you are trying to contact is receiving mail too quickly.", Meaning.LATER),
        ("gmail", 550, "5.2.1 The user you are trying to contact is receiving mail at a rate that …", Meaning.LATER),
        ("gmail", 550, "5.2.1 The email account that you tried to reach is disabled.", Meaning.NEVER),
        ("gmail", 550, "5.1.1 The email account that you tried to reach does not exist.", Meaning.NEVER),
        ("yahoo", 421, "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to …", Meaning.LATER),
        ("yahoo", 553, "5.7.2 [TSS04] Messages from 192.0.2.1 temporarily deferred", Meaning.LATER),
        (
            "yahoo",
            553,
            "5.7.2 [TSS09] All messages will be permanently deferred; retrying …",
            Meaning.NEVER,
        ),
        ("yahoo", 554, "6.6.0 Error sending message for delivery.", Meaning.LATER),
        ("microsoft", 432, "4.3.2 Concurrent connections limit exceeded.", Meaning.CROWDED),
        ("microsoft", 432, "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", Meaning.CROWDED),
        ("microsoft", 554, "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", Meaning.QUOTA),
        ("microsoft", 550, "5.1.90 Your message can't be sent because you've reached your daily limit", Meaning.QUOTA),
        ("microsoft", 550, "5.7.57 Client not authenticated to send mail", Meaning.NEVER),
    ],
)
def test_what_it_means_at_a_provider(preset: str, code: int, said: str, means: Meaning) -> None:
    """The words are those of the providers' pages and of the bug reports that quote them."""
    server = Server.model_validate({"preset": preset})
    assert meaning(code, said, [entry.reply for entry in server.replies]) is means


def test_what_the_admin_says_of_a_reply_counts_before_the_preset() -> None:
    server = Server.model_validate({"preset": "gmail", "replies": [{"status": "5.4.5", "means": "never"}]})
    assert meaning(550, "5.4.5 Daily quota", [entry.reply for entry in server.replies]) is Meaning.NEVER
    assert len(server.replies) == len(PRESETS["gmail"]["replies"]) + 1


def test_a_status_is_read_at_the_beginning_alone() -> None:
    assert [status_of(said) for said in ("5.4.5 x", " 4.7.28 y", "x 5.4.5", "1.2.3.4", "")] == [
        "5.4.5",
        "4.7.28",
        "",
        "",
        "",
    ]


def test_a_reply_of_one_code_is_no_other() -> None:
    own = [Reply(Meaning.QUOTA, code=550, words="limit")]
    assert meaning(550, "5.7.1 sending LIMIT", own) is Meaning.QUOTA
    assert meaning(554, "5.7.1 sending limit", own) is Meaning.NEVER
