"""What calendars mail when somebody answers an invitation: the shapes of clients that applicants have, literally.

In capitals between `<<` and `>>` stand the parts that belong to one appointment. `GMAIL` goes through Google's own
servers and says so, `OUTLOOK` has its zones by Windows' names, `APPLE` folds and cases as it likes.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

from loket.core.model import Booking

GMAIL = """\
Return-Path: <siti@jamusari.example>
MIME-Version: 1.0
Reply-To: Siti Rahayu <<<APPLICANT>>>
Sender: Google Calendar <calendar-notification@google.com>
Auto-Submitted: auto-generated
Message-ID: <calendar-8f3b1c9e-2a77-4d0b-9a3e-<<NONCE>>@google.com>
Date: Tue, 24 Nov 2026 03:05:10 +0000
Subject: <<WORD>>: Konsultasi via Zoom @ Mon Nov 30, 2026 9:30am - 10am (WIB) (ditlai_otsmkos@yahoo.co.id)
From: Siti Rahayu <<<APPLICANT>>>
To: ditlai_otsmkos@yahoo.co.id
Content-Type: multipart/mixed; boundary="000000000000a1b2c3064d2e5f10"

--000000000000a1b2c3064d2e5f10
Content-Type: multipart/alternative; boundary="000000000000a1b2c1064d2e5f0e"

--000000000000a1b2c1064d2e5f0e
Content-Type: text/plain; charset="UTF-8"; format=flowed; delsp=yes
Content-Transfer-Encoding: base64

U2l0aSBSYWhheXUgaGFzIGFuc3dlcmVkIHRoaXMgaW52aXRhdGlvbi4NCg==
--000000000000a1b2c1064d2e5f0e
Content-Type: text/html; charset="UTF-8"
Content-Transfer-Encoding: quoted-printable

<html><body><b>Siti Rahayu</b> has answered this invitation.</body></html>
--000000000000a1b2c1064d2e5f0e
Content-Type: text/calendar; charset="UTF-8"; method=<<METHOD>>
Content-Transfer-Encoding: 7bit

BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:<<METHOD>>
BEGIN:VEVENT
DTSTART:<<START>>
DTEND:<<END>>
DTSTAMP:<<STAMP>>
ORGANIZER;CN=Loket B dan Persuratan:mailto:ditlai_otsmkos@yahoo.co.id
UID:<<UID>>
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=<<PARTSTAT>>;CN=Siti
  Rahayu;X-NUM-GUESTS=0:mailto:<<APPLICANT>>
CREATED:20261124T020000Z
DESCRIPTION:
LAST-MODIFIED:<<STAMP>>
LOCATION:Zoom
SEQUENCE:<<SEQUENCE>>
STATUS:CONFIRMED
SUMMARY:Konsultasi via Zoom
TRANSP:OPAQUE
END:VEVENT
END:VCALENDAR

--000000000000a1b2c1064d2e5f0e--
--000000000000a1b2c3064d2e5f10
Content-Type: application/ics; name="invite.ics"
Content-Disposition: attachment; filename="invite.ics"
Content-Transfer-Encoding: base64

QkVHSU46VkNBTEVOREFSDQpNRVRIT0Q6UkVQTFkNCkVORDpWQ0FMRU5EQVINCg==
--000000000000a1b2c3064d2e5f10--
"""

OUTLOOK_HEAD = """\
From: Siti Rahayu <<<APPLICANT>>>
To: "Loket B dan Persuratan" <ditlai_otsmkos@yahoo.co.id>
Subject: <<WORD>>: Konsultasi via Zoom
Thread-Topic: Konsultasi via Zoom
Thread-Index: AdtNcYg3v1m0c2m4T3K5s0oN1G2xZgAAB1hv
Date: Tue, 24 Nov 2026 03:06:11 +0000
Message-ID: <SEYPR04MB1234ABCD<<NONCE>>@SEYPR04MB1234.apcprd04.prod.outlook.com>
Accept-Language: id-ID, en-US
Content-Language: id-ID
X-MS-Has-Attach:
X-MS-TNEF-Correlator:
Content-Class: urn:content-classes:calendarmessage
Content-Type: multipart/alternative; boundary="_000_SEYPR04MB1234ABCD_"
MIME-Version: 1.0

--_000_SEYPR04MB1234ABCD_
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: base64

DQo=

--_000_SEYPR04MB1234ABCD_
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

<html><head></head><body></body></html>

--_000_SEYPR04MB1234ABCD_
Content-Type: text/calendar; charset="utf-8"; method=<<METHOD>>
Content-Transfer-Encoding: base64

"""
OUTLOOK_CALENDAR = """\
BEGIN:VCALENDAR
METHOD:<<METHOD>>
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
BEGIN:VTIMEZONE
TZID:SE Asia Standard Time
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:+0700
TZOFFSETTO:+0700
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T000000
TZOFFSETFROM:+0700
TZOFFSETTO:+0700
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
ATTENDEE;PARTSTAT=<<PARTSTAT>>;CN=Siti Rahayu:MAILTO:<<APPLICANT>>
COMMENT;LANGUAGE=id-ID:<<COMMENT>>\\n
UID:<<UID>>
SUMMARY;LANGUAGE=id-ID:<<WORD>>: Konsultasi via Zoom
DTSTART;TZID=SE Asia Standard Time:<<LOCAL START>>
DTEND;TZID=SE Asia Standard Time:<<LOCAL END>>
CLASS:PUBLIC
PRIORITY:5
DTSTAMP:<<STAMP>>
TRANSP:OPAQUE
STATUS:CONFIRMED
SEQUENCE:<<SEQUENCE>>
LOCATION;LANGUAGE=id-ID:Zoom
X-MICROSOFT-CDO-APPT-SEQUENCE:<<SEQUENCE>>
X-MICROSOFT-CDO-OWNERAPPTID:0
X-MICROSOFT-CDO-BUSYSTATUS:BUSY
X-MICROSOFT-CDO-INTENDEDSTATUS:BUSY
X-MICROSOFT-CDO-ALLDAYEVENT:FALSE
X-MICROSOFT-CDO-IMPORTANCE:1
X-MICROSOFT-CDO-INSTTYPE:0
X-MICROSOFT-DONOTFORWARDMEETING:FALSE
X-MICROSOFT-DISALLOW-COUNTER:FALSE
END:VEVENT
END:VCALENDAR
"""
OUTLOOK_TAIL = "\n--_000_SEYPR04MB1234ABCD_--\n"

APPLE = """\
From: Siti Rahayu <<<APPLICANT>>>
To: "Loket B dan Persuratan" <ditlai_otsmkos@yahoo.co.id>
Subject: <<WORD>>: Konsultasi via Zoom
Mime-Version: 1.0 (1.0)
Date: Tue, 24 Nov 2026 10:07:12 +0700
Message-Id: <7C1F6C35-3C0F-4B53-8F4B-<<NONCE>>@jamusari.example>
X-Mailer: iPhone Mail (20G81)
Content-Type: multipart/alternative;
	boundary=Apple-Mail-1B9B7E1C-0B5B-4A5D-9C0A-2F6A1C0F4E11
Content-Transfer-Encoding: 7bit


--Apple-Mail-1B9B7E1C-0B5B-4A5D-9C0A-2F6A1C0F4E11
Content-Type: text/plain;
	charset=us-ascii
Content-Transfer-Encoding: 7bit

Siti Rahayu has answered your invitation to the event "Konsultasi via Zoom".

--Apple-Mail-1B9B7E1C-0B5B-4A5D-9C0A-2F6A1C0F4E11
Content-Type: text/calendar;
	charset=utf-8;
	method=<<METHOD>>;
	name=iCal-20261124-100712.ics
Content-Transfer-Encoding: quoted-printable
Content-Disposition: inline;
	filename=iCal-20261124-100712.ics

BEGIN:VCALENDAR
CALSCALE:GREGORIAN
METHOD:<<METHOD>>
PRODID:-//Apple Inc.//iPhone OS 16.6//EN
VERSION:2.0
BEGIN:VEVENT
ATTENDEE;CN=3D"Siti Rahayu";CUTYPE=3DINDIVIDUAL;EMAIL=3D<<APPLICANT>>;PA
 RTSTAT=3D<<PARTSTAT>>:mailto:<<APPLICANT>>
DTEND:<<END>>
DTSTAMP:<<STAMP>>
DTSTART:<<START>>
ORGANIZER;CN=3D"Loket B dan Persuratan":mailto:ditlai_otsmkos@yahoo.co.id
SEQUENCE:<<SEQUENCE>>
SUMMARY:Konsultasi via Zoom
UID:<<UID>>
END:VEVENT
END:VCALENDAR

--Apple-Mail-1B9B7E1C-0B5B-4A5D-9C0A-2F6A1C0F4E11--
"""

CLIENTS = ("gmail", "outlook", "apple")
_WORDS = {"ACCEPTED": "Accepted", "TENTATIVE": "Tentative", "DECLINED": "Declined"}
NOON = datetime(2026, 11, 24, 3, 5, tzinfo=UTC)


def answered(
    booking: Booking,
    partstat: str,
    client: str = "gmail",
    *,
    method: str = "REPLY",
    author: str = "",
    sequence: int | None = None,
    start: datetime | None = None,
    stamp: datetime = NOON,
    comment: str = "",
    nonce: str = "1",
) -> bytes:
    """A calendar's mail about an appointment, as that client writes it."""
    begins = start or booking.start
    ends = begins + (booking.end - booking.start)
    values = {
        "APPLICANT": author or booking.applicant,
        "UID": booking.uid,
        "METHOD": method,
        "PARTSTAT": partstat,
        "WORD": _WORDS.get(partstat, "New Time Proposed") if method == "REPLY" else "New Time Proposed",
        "SEQUENCE": str(booking.sequence if sequence is None else sequence),
        "START": f"{begins.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        "END": f"{ends.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        "LOCAL START": f"{begins.astimezone(UTC) + timedelta(hours=7):%Y%m%dT%H%M%S}",
        "LOCAL END": f"{ends.astimezone(UTC) + timedelta(hours=7):%Y%m%dT%H%M%S}",
        "STAMP": f"{stamp:%Y%m%dT%H%M%SZ}",
        "COMMENT": comment,
        "NONCE": nonce,
    }

    def filled(text: str) -> str:
        for name, value in values.items():
            text = text.replace(f"<<{name}>>", value)
        return text

    if client == "outlook":
        inside = filled(OUTLOOK_CALENDAR).replace("\n", "\r\n").encode()
        text = filled(OUTLOOK_HEAD) + base64.encodebytes(inside).decode() + OUTLOOK_TAIL
    else:
        text = filled(GMAIL if client == "gmail" else APPLE)
    return text.replace("\n", "\r\n").encode()
