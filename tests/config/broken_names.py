"""Mistakes in servers, queues and the files that are named."""

from __future__ import annotations

from tests.config.mistakes import CONFIG, Broken, D, one

NAMES = [
    one(
        "an unknown server",
        CONFIG,
        "    server: gmail",
        "    server: gmial",
        "config.yaml:88:5: there is no server gmial; did you mean gmail?",
    ),
    one(
        "an unknown preset",
        CONFIG,
        "{preset: gmail}",
        "{preset: gmial}",
        "config.yaml:34:11: write 'gmail' or 'yahoo', not 'gmial'",
    ),
    one(
        "no port",
        CONFIG,
        '"mail.pom.go.id:993"',
        "mail.pom.go.id",
        "config.yaml:32:9: write host:port, as in mail.pom.go.id:993, or with imaps://, imap+starttls:// in front",
    ),
    one(
        "a port that cannot be",
        CONFIG,
        '"mail.pom.go.id:993"',
        '"mail.pom.go.id:99999"',
        "config.yaml:32:9: write 65535 or less, not 99999",
    ),
    one(
        "a password over a plain line",
        CONFIG,
        '"mail.pom.go.id:993"',
        '"imap://mail.pom.go.id:143"',
        "config.yaml:32:9: without TLS only a server on this machine (loopback) may be used",
    ),
    one(
        "a database nobody knows",
        CONFIG,
        "database: sqlite:///var/loket.db",
        "database: mysql://root:pw@db/loket",
        "config.yaml:26:3: write var/loket.db, or postgresql://user:${env:NAME}@host/database",
    ),
    one(
        "an unknown queue of a rule",
        D,
        "queue: ambil-sk-{kategori}\n",
        "queue: ambil-skk-{kategori}\n",
        "rules/loket-d.yaml:37:5: there is no queue ambil-skk-ot; did you mean ambil-sk-ot?",
        "rules/loket-d.yaml:37:5: there is no queue ambil-skk-sk; did you mean ambil-sk-sk?",
    ),
    one(
        "an unknown field in a queue",
        D,
        "queue: ambil-sk-{kategori}\n",
        "queue: ambil-sk-{katgori}\n",
        "rules/loket-d.yaml:37:5: {katgori} is no field of the subject, nor of a mailbox; did you mean kategori?",
    ),
    one(
        "an unknown queue of an officer",
        CONFIG,
        "[persuratan, triase]",
        "[persuratan, triasse]",
        "config.yaml:115:26: there is no queue triasse; did you mean triase?",
    ),
    one(
        "an officer without queues",
        CONFIG,
        "[persuratan, triase]",
        "[]",
        "config.yaml:115:5: write at least 1, not an empty one",
    ),
    Broken(
        "a queue in two files",
        (
            ("rules/iklan.yaml", "  konsultasi-iklan:\n", "  konsultasi-it:\n"),
            (CONFIG, "konsultasi-iklan]", "konsultasi-it]"),
            ("rules/iklan.yaml", "queue: konsultasi-iklan", "queue: konsultasi-it"),
        ),
        ("rules/loket-c.yaml:13:1: the queue konsultasi-it is in iklan.yaml too",),
    ),
    one(
        "an unknown rules file",
        CONFIG,
        "rules: [loket-d]",
        "rules: [loket-dd]",
        "config.yaml:90:13: there is no rules/loket-dd.yaml; did you mean loket-d?",
    ),
    one(
        "a rules file taken away",
        D,
        None,
        None,
        "config.yaml:90:13: there is no rules/loket-d.yaml; did you mean loket-a?",
    ),
    one(
        "a rules folder taken away",
        CONFIG,
        "rules: rules\n",
        "rules: regels\n",
        "config.yaml:29:1: there is no folder regels",
    ),
    one(
        "a field the mailbox cannot have",
        CONFIG,
        "{kategori: SK}",
        "{katgori: SK}",
        "config.yaml:56:14: no rule of this mailbox has a field katgori; did you mean kategori?",
    ),
    one(
        "a value the field cannot have",
        CONFIG,
        "{kategori: SK}",
        "{kategori: XX}",
        "config.yaml:56:14: XX is none of OT, SK",
        "rules/loket-a.yaml:24:5: there is no queue berkas-xx; did you mean berkas-ot?",
    ),
]
