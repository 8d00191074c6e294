"""What is known of providers: found by the address alone, and overruled by what is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from loket.config.load import load
from loket.config.presets import PRESETS, of_domain, of_exchangers
from loket.config.servers import Server

TOP = Path(__file__).parents[2]


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_preset_is_a_server_by_itself_and_each_value_of_it_can_be_overruled(preset: str) -> None:
    server = Server.model_validate({"preset": preset})
    assert all(door.security != "plain" for door in server.doors)
    for name, value in PRESETS[preset].items():
        if isinstance(value, int):
            own = Server.model_validate({"preset": preset, name: value - 1})
            assert getattr(own, name) == value - 1
    own = Server.model_validate({"preset": preset, "imap": "proxy.office.test:993"})
    assert own.doors[0].host == "proxy.office.test"


def test_every_value_of_a_preset_has_its_source() -> None:
    """A comment that names a page, an issue or an RFC stands above each group of values."""
    lines = (TOP / "daemon/loket/config/presets.py").read_text().splitlines()
    table = lines[lines.index("PRESETS: Mapping[str, Mapping[str, Any]] = {") :]
    for name in PRESETS:
        begins = next(at for at, line in enumerate(table) if line == f'    "{name}": {{')
        assert table[begins + 1].strip().startswith("# "), name


@pytest.mark.parametrize("preset", ["gmail", "microsoft"])
def test_no_copy_is_filed_where_the_provider_files_one(preset: str) -> None:
    """Gmail replaces its own or has two; so nobody can ask for it by mistake."""
    assert Server.model_validate({"preset": preset}).sent == "none"
    with pytest.raises(ValidationError, match="files a copy by itself"):
        Server.model_validate({"preset": preset, "sent": "append"})
    assert Server.model_validate({"preset": "yahoo", "sent": "append"}).sent == "append"


def test_yahoos_idle_is_renewed_every_three_minutes() -> None:
    """Some of its servers end an IDLE then (MailCore/mailcore2#1274); nobody's is left for longer than nine."""
    assert Server.model_validate({"preset": "yahoo"}).idle_renewal == 180
    assert all(Server.model_validate({"preset": name}).idle_renewal <= 540 for name in PRESETS)


def test_generic_is_what_goes_without_a_preset() -> None:
    doors = {"imap": "mail.pom.go.id:993", "smtp": "mail.pom.go.id:465"}
    assert Server.model_validate({**doors, "preset": "generic"}) == Server.model_validate(doors)
    assert Server.model_validate({**doors, "preset": "generic"}).preset is None


@pytest.mark.parametrize(
    ("address", "preset"),
    [
        ("a@gmail.com", "gmail"),
        ("A@GoogleMail.com", "gmail"),
        ("a@yahoo.co.id", "yahoo"),
        ("a@yahoo.com", "yahoo"),
        ("a@ymail.com", "yahoo"),
        ("a@hotmail.com", "microsoft"),
        ("a@outlook.co.id", "microsoft"),
        ("a@pom.go.id", None),
        ("a@notyahoo.com", None),
        ("gmail.com@pom.go.id", None),
    ],
)
def test_a_providers_own_domains_are_known(address: str, preset: str | None) -> None:
    assert of_domain(address) == preset


@pytest.mark.parametrize(
    ("hosts", "preset"),
    [
        (["aspmx.l.google.com.", "alt1.aspmx.l.google.com."], "gmail"),
        (["smtp.google.com"], "gmail"),
        (["mta5.am0.yahoodns.net"], "yahoo"),
        (["pom-go-id.mail.protection.outlook.com"], "microsoft"),
        (["mail.pom.go.id"], None),
        (["google.com.evil.example"], None),
        ([], None),
    ],
)
def test_an_exchanger_tells_its_provider_for_advice(hosts: list[str], preset: str | None) -> None:
    assert of_exchangers(hosts) == preset


def test_a_mailbox_at_a_provider_needs_no_server(tmp_path: Path) -> None:
    """Nor an entry of `servers`; one that is written under the preset's name is taken as it stands."""
    text = (TOP / "config.yaml").read_text().replace("    server: gmail\n", "").replace("    server: yahoo\n", "")
    text = text.replace("  yahoo: {preset: yahoo}  ", "  # ").replace(
        "{preset: gmail}", "{preset: gmail, per_day: 2000}"
    )
    (tmp_path / "config.yaml").write_text(text)
    shutil.copytree(TOP / "rules", tmp_path / "rules")
    config = load(tmp_path / "config.yaml").config
    assert config.mailboxes["desainsk.otsk2020@gmail.com"].server == "gmail"
    assert config.servers["gmail"].per_day == 2000
    assert config.mailboxes["iklan_otsk@yahoo.com"].server == "yahoo"
    assert config.servers["yahoo"] == Server.model_validate({"preset": "yahoo"})
