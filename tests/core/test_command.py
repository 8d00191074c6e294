"""What an officer says in a reply: the command, its argument and their own words, and nothing that was quoted."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loket.core import token
from loket.core.command import Speech, listen, own_words
from tests.core.desk import ANI, KEYS, NOW, QUIET, letter, read

TOKEN = KEYS.officer("LKT-2026-000001-8", ANI, NOW)
NOTICE = f"Yth. Ani,\nTiket baru: Jamu Kunyit\nJawab: <{TOKEN}.0123456789@gmail.com>"
MARKED = "\n".join(f"> {line}" for line in NOTICE.split("\n"))
WORDS = "SK\n\nSilakan diunduh.\nTerima kasih."

# Whom it quotes, as each client writes it; what follows is quoted with `>` or not at all.
MARKING = {
    "Gmail, Indonesian": "Pada tanggal Sel, 24 Nov 2026 pukul 09.00 Loket D – Loket <desain@gmail.com> menulis:\n\n",
    "Gmail, wrapped": "Pada tanggal Sel, 24 Nov 2026 pukul 09.00 Loket D – Loket <\ndesain@gmail.com> menulis:\n\n",
    "Gmail, English": "On Tue, Nov 24, 2026 at 9:00 AM Loket D – Loket <desain@gmail.com> wrote:\n\n",
    "Gmail, English, wrapped": "On Tue, Nov 24, 2026 at 9:00 AM Loket D – Loket <\ndesain@gmail.com> wrote:\n\n",
    "Thunderbird, Indonesian": "Pada 24/11/26 09.00, Loket D menulis:\n",
    "Thunderbird, English": "On 11/24/26 09:00, Loket D wrote:\n",
    "Thunderbird, no time": "Am 24.11.26 schrieb Loket D:\n",
    "iPhone, Indonesian": "Pada 24 Nov 2026, pukul 09.00, Loket D <desain@gmail.com> menulis:\n\n",
}
TURNED = {
    "address first": "Loket D <desain@gmail.com> menulis pada 24 November 2026 pukul 09:00:\n\n",
    "address first, English": "Loket D – Loket <desain@gmail.com> wrote:\n",
    "moment first": "24-11-2026 09:00, Loket D menulis:\n",
    "weekday first": "Sel, 24 Nov 2026 09.00 Loket D <desain@gmail.com> menulis:\n\n",
}
BARE = {
    "Outlook, Indonesian": "________________________________\nDari: Loket D <d@gmail.com>\nDikirim: Selasa, 24 November"
    " 2026 9:00\nKepada: Ani\nPerihal: Tiket\n\n",
    "Outlook, no line": "Dari: Loket D <d@gmail.com>\nTanggal: Selasa, 24 November 2026 09.00\nKe: Ani\nSubjek: x\n\n",
    "Outlook, English": "________________________________\nFrom: Loket D <d@gmail.com>\nSent: Tuesday\nTo: Ani\n\n",
    "Outlook, old": "-----Original Message-----\nFrom: Loket D\nSent: Tuesday, November 24\nTo: Ani\nSubject: x\n\n",
    "Outlook, old, Indonesian": "-----Pesan Asli-----\nDari: Loket D\nDikirim: Selasa\nKepada: Ani\nSubjek: x\n\n",
    "Outlook, bold": "*From:* Loket D <d@gmail.com>\n*Sent:* Tuesday\n*To:* Ani\n\n",
    "Yahoo, Indonesian": "    Pada Selasa, 24 November 2026 09.00.00 WIB, Loket D <d@gmail.com> menulis:  \n \n",
    "Yahoo, English": "On Tuesday, November 24, 2026 at 09:00:00 AM GMT+7, Loket D <d@gmail.com> wrote:  \n \n ",
    "iPhone, unmarked": "Pada tanggal 24 Nov 2026, pukul 09.00, Loket D <d@gmail.com> menulis:\n\n\ufeff",
    "Samsung, Indonesian": "-------- Pesan asli --------\nDari: Loket D\nTanggal: 24/11/2026 09:00\nKe: Ani\n\n",
    "Gmail, forwarded": "---------- Pesan yang diteruskan ---------\nDari: Loket D\nDate: Sel\nTo: Ani\n\n",
    "Apple, forwarded": "Mulai pesan terusan:\n\nDari: Loket D\nPerihal: x\nTanggal: 24 November\nKepada: Ani\n\n",
    "another phone": "---Email asli---\nDari: Loket D\nTanggal: 24/11/2026\nKepada: Ani\n\n",
    "Samsung, English": "-------- Original message --------\nFrom: Loket D\nDate: 24/11/2026 09:00\nTo: Ani\n\n",
    "Thunderbird, forwarded": "-------- Pesan Terusan --------\nSubjek: \tx\nTanggal: \tx\nDari: \tx\n\n",
}
SIGNED = [
    "Sent from my iPhone",
    "Dikirim dari iPhone saya",
    "Sent from Yahoo Mail for iPhone",
    "Dikirim dari Yahoo Mail di Android",
    "Sent from my Galaxy",
    "Dikirim dari Galaxy saya",
    "Dikirim dari perangkat Samsung saya",
    "Dikirim dari Spark untuk iOS",
    "Dapatkan BlueMail untuk Android",
    "Get Outlook for Android<https://aka.ms/AAb9ysg>",
    "Dapatkan Outlook untuk iOS<https://aka.ms/o0ukef>",
    "-- \nAni Lestari\nSubdit Registrasi",
    "--\nAni",
]


@pytest.mark.parametrize("attribution", MARKING.values(), ids=MARKING.keys())
@pytest.mark.parametrize("signature", ["", *SIGNED], ids=lambda text: text[:20] or "unsigned")
def test_words_above_a_marked_quotation_are_the_officers(attribution: str, signature: str) -> None:
    assert own_words(f"{WORDS}\n\n{signature}\n\n{attribution}{MARKED}\n") == WORDS


@pytest.mark.parametrize("attribution", BARE.values(), ids=BARE.keys())
@pytest.mark.parametrize("signature", ["", *SIGNED[:-2]], ids=lambda text: text[:20] or "unsigned")
def test_words_above_an_unmarked_quotation_are_the_officers(attribution: str, signature: str) -> None:
    assert own_words(f"{WORDS}\n\n{signature}\n\n{attribution}{NOTICE}\n") == WORDS


@pytest.mark.parametrize("attribution", TURNED.values(), ids=TURNED.keys())
@pytest.mark.parametrize("quoted", [MARKED, NOTICE], ids=["marked", "unmarked"])
def test_an_attribution_that_begins_with_the_name_or_the_moment_is_one(attribution: str, quoted: str) -> None:
    assert own_words(f"{WORDS}\n\n{attribution}{quoted}\n") == WORDS


@pytest.mark.parametrize("attribution", MARKING.values(), ids=MARKING.keys())
def test_words_below_a_quotation_are_the_officers(attribution: str) -> None:
    assert own_words(f"{attribution}{MARKED}\n\n{WORDS}\n") == WORDS


@pytest.mark.parametrize("attribution", MARKING.values(), ids=MARKING.keys())
def test_words_between_quoted_lines_are_the_officers(attribution: str) -> None:
    assert own_words(f"{attribution}> satu\n\nSK\n> dua\n> {TOKEN}\nKata.\n> tiga\n") == "SK\nKata."


def test_an_iphones_attribution_inside_the_quotation_is_quoted() -> None:
    text = f"{WORDS}\n\n> On Nov 24, 2026, at 9:00 AM, Loket D <d@gmail.com> wrote:\n> \n{MARKED}"
    assert own_words(text) == WORDS


@pytest.mark.parametrize(
    "text",
    [
        "JAWAB\nPada surat tersebut beliau menulis: harap dilengkapi\nlalu selesai",
        "JAWAB\nPada tanggal 3 Januari pemohon menulis:\n1. satu\n2. dua",
        "JAWAB\nDikirim dari kantor pusat kemarin.\nBaik.",
        "JAWAB\nDari: kami semua\n\nSelamat.",
        "JAWAB\nOn the label we wrote: shake well\n- before use",
        "JAWAB\n--- penting ---\nBaik.",
    ],
)
def test_a_sentence_that_resembles_a_quotation_is_kept(text: str) -> None:
    assert own_words(text) == text


TOKENS = st.builds(
    KEYS.officer,
    st.integers(1, 999_999).map(lambda serial: token.number("LKT", 2026, serial)),
    st.sampled_from([ANI, "budi@pom.go.id"]),
    st.just(NOW),
)
LINES = st.lists(
    st.sampled_from([*WORDS.split("\n"), *MARKING.values(), *BARE.values(), *SIGNED, "> ", "-- ", "--", " "])
    | st.text(max_size=40),
    max_size=8,
)


@given(
    LINES, TOKENS, LINES, st.sampled_from(["{}", "> {}", "<{}.0a@gmail.com>", "%5B{}%5D", "Re: [{}]", "x{}", "\t{}\r"])
)
@QUIET
def test_no_officers_token_is_ever_among_the_words(
    above: list[str], secret: str, below: list[str], around: str
) -> None:
    for spelled in (secret, secret.upper()):
        words = own_words("\n".join([*above, around.format(spelled), *below]))
        assert not token.holds_officer_token(words)
        assert secret.rpartition(".")[2] not in words.lower()


@given(st.lists(st.from_regex(r"[a-z]{1,9}( [a-z]{1,9}){0,6}[.?]?", fullmatch=True), min_size=1, max_size=6))
@QUIET
def test_plain_lines_are_kept_as_they_are(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert own_words(text + "\n") == text


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("SK", ("SK", "")),
        ("sk", ("SK", "")),
        ("Sk.", ("SK", "")),
        ("*SK*", ("SK", "")),
        ("_Sk_!", ("SK", "")),
        ("“SK”", ("SK", "")),
        ("(sk)", ("SK", "")),
        ("[SK]", ("SK", "")),
        ("- SK -", ("SK", "")),
        ("SK-", ("SK", "")),
        ("\u200bSK\u00a0", ("SK", "")),
        ("\ufeffSK,", ("SK", "")),
        ("SK, terlampir", ("SK", "terlampir")),
        ("SK – terlampir", ("SK", "terlampir")),
        ("SK (dua berkas)", ("SK", "(dua berkas)")),
        ("jawab: Sudah kami terima.", ("JAWAB", "Sudah kami terima.")),
        ('jawab "kata" kutipan', ("JAWAB", '"kata" kutipan')),
        ("Daftar 1234/XI/2026", ("DAFTAR", "1234/XI/2026")),
        ("DAFTAR: -1234", ("DAFTAR", "1234")),
        ("ALIH persuratan", ("ALIH", "persuratan")),
        ("alih → ambil-sk-ot", ("ALIH", "→ ambil-sk-ot")),
        ("MASIH-REVISI x", ("MASIH-REVISI", "x")),
    ],
)
def test_a_command_is_read_in_any_case_and_punctuation(first: str, expected: tuple[str, str]) -> None:
    said = listen(letter("Re: x", f"{first}\n\nSilakan.\n{MARKED}"))
    assert said == Speech(*expected, "Silakan.")


@pytest.mark.parametrize("first", ["", "123", "!!!", "👍"])
def test_a_first_line_without_a_word_is_no_command(first: str) -> None:
    assert listen(letter("123", f"{first}\n")).command == ""


def test_a_mail_without_words_speaks_by_its_subject() -> None:
    """The ready answers of a digest have the command there, before the token."""
    quoted = f"\n\n{MARKING['Gmail, English']}{MARKED}\n-- \nAni\n"
    assert listen(letter(f"SK [{TOKEN}]", quoted)) == Speech("SK", "", "")
    assert listen(letter(f"DAFTAR 12/XI [{TOKEN}]", "Sent from my iPhone\n")) == Speech("DAFTAR", "12/XI", "")


ENGLISH = "On Tuesday, November 24, 2026 at 09:00:00 AM GMT+7, Loket D &lt;d@gmail.com&gt; wrote:"
HTML = {
    "Gmail": "<div dir=ltr>SK<div><br></div><div>Silakan.</div></div><br><div class='gmail_quote'>"
    f"<div class=gmail_attr>{ENGLISH}<br></div><blockquote>Yth {TOKEN}</blockquote></div>",
    "Yahoo": "<html><body><div>SK</div><div><br></div><div>Silakan.</div>"
    f"<div id=yahoo_quoted>{ENGLISH}</div><div>Yth {TOKEN}</div></body></html>",
    "Outlook": "<style>p {margin:0}</style><p>SK</p><p>&nbsp;</p><p>Silakan.</p><hr><div id=divRplyFwdMsg>"
    "<b>Dari:</b> Loket D &lt;d@gmail.com&gt;<br><b>Dikirim:</b> Selasa<br><b>Kepada:</b> Ani<br></div>"
    f"<p>Yth {TOKEN}</p>",
    "iPhone": "<body>SK<div><br></div><div>Silakan.<br><div>Dikirim dari iPhone saya</div><div><br>"
    "<blockquote type=cite>Pada 24 Nov 2026, pukul 09.00, Loket D menulis:<br></blockquote></div>"
    f"<blockquote>Yth {TOKEN}</blockquote></div>",
}


@pytest.mark.parametrize("markup", HTML.values(), ids=HTML.keys())
def test_a_letter_in_html_alone_says_the_same(markup: str) -> None:
    assert listen(letter("Re: x", markup=markup)) == Speech("SK", "", "Silakan.")


LINED = {
    "pre": "<pre class='k9mail'>SK\nSilakan.\r\nBaris dua.</pre>",
    "pre in pieces": "<html><PRE>SK</PRE><pre>Silakan.\n\tBaris dua.",
    "section": "<section>SK</section><section>Silakan.</section>Baris dua.",
    "center": "<center>SK</center>Silakan.<ul><li>Baris dua.</ul>",
    "list": "<dl><dt>SK<dd>Silakan.<dd>Baris dua.</dl>",
    "table": "<table><tr><td>SK</table>Silakan.<address>Baris dua.</address>",
}


@pytest.mark.parametrize("markup", LINED.values(), ids=LINED.keys())
def test_lines_of_html_stay_lines(markup: str) -> None:
    """Else a line with another ticket's number becomes a word for the applicant above it."""
    said = listen(letter("Re: x", markup=markup))
    assert (said.command, said.words.split()) == ("SK", ["Silakan.", "Baris", "dua."])
    assert "\n" in said.words


BETWEEN = {
    "between two": f"<blockquote>Yth {TOKEN}</blockquote><p>SK</p><p>Silakan.</p><blockquote>Nomor</blockquote>",
    "between three, nested": "<blockquote>a<blockquote>b</blockquote>c</blockquote><p>SK</p><blockquote>d</blockquote>"
    "<p>Silakan.</p><blockquote>e</blockquote>",
    "Gmail's, below": f"<div class='gmail_quote'><div class=gmail_attr>{ENGLISH}</div><blockquote>x</blockquote></div>"
    "<div>SK</div><div>Silakan.</div>",
    "a stray end": "</blockquote><p>SK</p><p>Silakan.</p><blockquote>Yth",
}


@pytest.mark.parametrize("markup", BETWEEN.values(), ids=BETWEEN.keys())
def test_words_between_quotations_in_html_are_the_officers(markup: str) -> None:
    assert listen(letter("Re: x", markup=markup)) == Speech("SK", "", "Silakan.")


def test_a_quotation_behind_tabs_is_one_where_somebody_is_named_above_it() -> None:
    named = "Loket D – Loket <d@gmail.com> wrote:"
    assert own_words(f"{named}\n\n\tYth. Ani\n\n\tNomor: 1\n\t{TOKEN}\n\nSK\n\tbutir\n") == "SK\n\tbutir"
    assert own_words("SK\n\tbutir satu\n\tbutir dua\n") == "SK\n\tbutir satu\n\tbutir dua"


def test_a_paragraph_that_the_client_broke_softly_is_one_line_again() -> None:
    """Else the applicant reads a letter with ragged lines, and a line with a number loses its end (RFC 3676)."""
    body = b"SK Satu kalimat \r\nyang panjang.\r\n\r\n From dua\r\n> Yth. \r\n> Ani\r\n-- \r\nAni \r\nL\r\n"
    head = b"From: a@b\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8; format="
    assert listen(read(head + b"flowed\r\n\r\n" + body)) == Speech("SK", "Satu kalimat yang panjang.", "From dua")
    assert listen(read(head + b"fixed\r\n\r\n" + body)).argument == "Satu kalimat"


@pytest.mark.parametrize(
    "text",
    [
        "on " * 300_000,
        "on 1 wrote " * 90_000,
        ("on 1@ " + "wrote " * 49 + "\n") * 3000,
        "On 1@ wrote:\n" * 80_000,
        "SK\n" + "On 1@ wrote:\n> x\n" * 60_000,
        "from:\nx\n" * 100_000,
        "-" * 1_000_000,
        "_" * 1_000_000,
        " " * 1_000_000,
        "*" * 1_000_000,
        ("Sent from " + "my " * 30 + "\n") * 9000,
        TOKEN[:-1] * 18_000,
        "a@b wrote:\n\tx\n" * 60_000,
        "a@b wrote:\n" + "\tx\n" * 300_000,
    ],
    ids=lambda text: text[:12].strip(),
)
def test_no_letter_keeps_a_mailbox_waiting(text: str) -> None:
    begun = time.process_time()
    listen(letter("Re: x", text))
    assert time.process_time() - begun < 5
