"""What the world's DNS says of a sending domain: MX, SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 7489)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dns import exception, rdatatype, resolver

from loket.core.headers import clean_text
from loket.doctor.finding import Finding

# Where keys lie cannot be asked; these are the names that providers and guides use.
SELECTORS = ("default", "mail", "dkim", "google", "selector1", "selector2", "s1", "s2", "k1", "s1024", "s2048")


class NoAnswerError(Exception):
    """No server of names answered."""


@dataclass(frozen=True, slots=True)
class Dns:
    """Questions to a resolver, the machine's own unless `server` names another as ADDRESS or ADDRESS:PORT."""

    server: str | None = None
    seconds: float = 5.0
    _made: list[resolver.Resolver] = field(default_factory=list)

    def texts(self, name: str) -> list[str]:
        """The TXT records of a name; NoAnswerError where nobody says."""
        return [b"".join(record.strings).decode("utf-8", "replace") for record in self._ask(name, rdatatype.TXT)]

    def exchangers(self, name: str) -> list[str]:
        """The names of its mail exchangers, the preferred first; NoAnswerError where nobody says."""
        found = sorted((record.preference, str(record.exchange)) for record in self._ask(name, rdatatype.MX))
        return [exchange.rstrip(".").lower() for _, exchange in found]

    def _ask(self, name: str, kind: rdatatype.RdataType) -> list[Any]:
        try:
            return list(self._resolver().resolve(name, kind, lifetime=self.seconds, search=False))
        except (resolver.NXDOMAIN, resolver.NoAnswer):
            return []
        except (exception.DNSException, OSError) as error:
            raise NoAnswerError(clean_text(str(error), 200)) from error

    def _resolver(self) -> resolver.Resolver:
        if not self._made:
            if self.server is None:
                made = resolver.Resolver()
            else:
                made = resolver.Resolver(configure=False)
                host, _, port = self.server.partition(":")
                made.nameservers = [host]
                made.port = int(port or 53)
            self._made.append(made)
        return self._made[0]


def sending(domain: str, dns: Dns) -> Iterator[Finding]:
    """Whether mail from the domain is taken for genuine elsewhere."""
    try:
        yield _mx(domain, dns.exchangers(domain))
        yield _spf(domain, [text for text in dns.texts(domain) if text.lower().startswith("v=spf1")])
        yield _dmarc(domain, dns)
        yield _dkim(domain, dns)
    except NoAnswerError as error:
        yield Finding(domain, "dns", "note", f"cannot be asked: {error}", "ask another resolver: --dns ADDRESS")


def _mx(domain: str, found: list[str]) -> Finding:
    if not found:
        remedy = f"have an MX record made for {domain}: answers to the office's mail need one"
        return Finding(domain, "mx", "warning", "no mail exchanger", remedy)
    return Finding(domain, "mx", "ok", ", ".join(found[:4]))


def _spf(domain: str, found: list[str]) -> Finding:
    if not found:
        remedy = f'TXT at {domain}: "v=spf1 mx include:YOUR-PROVIDER -all"; without it mail is taken for spam'
        return Finding(domain, "spf", "warning", "no record", remedy)
    if len(found) > 1:
        remedy = "join them in one; several count as none (RFC 7208 section 4.5)"
        return Finding(domain, "spf", "error", f"{len(found)} records: {' | '.join(found)}", remedy)
    if any(term in ("all", "+all") for term in found[0].lower().split()):
        return Finding(domain, "spf", "warning", found[0], "it lets everybody send in your name: end it with -all")
    return Finding(domain, "spf", "ok", found[0])


def _dmarc(domain: str, dns: Dns) -> Finding:
    found: list[str] = []
    # The nearest domain above that has one speaks for those below it; a public suffix has none.
    labels = domain.split(".")
    for at in range(max(1, len(labels) - 1)):
        found = [text for text in dns.texts(f"_dmarc.{'.'.join(labels[at:])}") if text.lower().startswith("v=dmarc1")]
        if found:
            break
    if not found:
        remedy = f'TXT at _dmarc.{domain}: "v=DMARC1; p=none; rua=mailto:YOU", later p=quarantine'
        return Finding(domain, "dmarc", "warning", "no record", remedy)
    if len(found) > 1:
        remedy = "keep one; several count as none (RFC 7489 section 6.6.3)"
        return Finding(domain, "dmarc", "error", f"{len(found)} records: {' | '.join(found)}", remedy)
    return Finding(domain, "dmarc", "ok", found[0])


def _dkim(domain: str, dns: Dns) -> Finding:
    for selector in SELECTORS:
        for text in dns.texts(f"{selector}._domainkey.{domain}"):
            tags = dict(part.strip().partition("=")[::2] for part in text.split(";") if part.strip())
            if tags.get("p", "").strip():
                return Finding(domain, "dkim", "ok", f"a key at {selector}._domainkey")
            if "p" in tags:
                remedy = f"take the record away, or publish the key that signs now at {selector}._domainkey.{domain}"
                return Finding(domain, "dkim", "warning", f"the key at {selector}._domainkey is withdrawn", remedy)
    remedy = "look at a mail that was sent: its DKIM-Signature says s=SELECTOR; none there means that none signs"
    return Finding(domain, "dkim", "note", "no key under the usual names", remedy)
