"""Every command of an officer, by mail through real servers: what the officer writes, and who gets what."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from loket.core.model import State, Ticket
from loket.demo.officer import Answer, ReadyAnswer, answer
from loket.demo.officer import reply as officer_reply
from tests.flows.letters import mail, reply
from tests.flows.office import FlowOffice, Mail

IKLAN = "iklan_otsk@yahoo.com"
WATI = "Wati <wati@iklan.example>"
APPLICANT = "wati@iklan.example"
DEWI, EKO = "dewi@pom.go.id", "eko@pom.go.id"


@dataclass
class Story:
    """Two officers of one queue, Eko the deputy of Dewi; how many mails each has read so far."""

    office: FlowOffice

    def __post_init__(self) -> None:
        self.office.set_up(
            ("queues: [konsultasi-it]", "queues: [konsultasi-it, konsultasi-iklan]"),
            ("name: Dewi\n", "name: Dewi\n    deputy: eko@pom.go.id\n"),
        )
        self.office.empty([APPLICANT])
        self.read: dict[str, int] = {}

    def undo(self, span: str) -> None:
        """Answers of the queue wait so long before they leave."""
        rules = self.office.folder / "rules/iklan.yaml"
        text = rules.read_text()
        assert text.count("command: JAWAB") == 1
        rules.write_text(text.replace("command: JAWAB", f"command: JAWAB\n        undo: {span}"))

    def asked(self, subject: str = "Iklan radio") -> str:
        """A new ticket, acknowledged; its number."""
        self.office.submit(mail(WATI, IKLAN, subject))
        self.office.work()
        [acknowledgement] = self.new(APPLICANT)
        return acknowledgement.subject.partition("]")[0].removeprefix("[")

    def new(self, address: str) -> list[Mail]:
        """The mails of an address that nobody has looked at yet."""
        found = [Mail(raw) for raw in self.office.servers.messages(address)]
        fresh = found[self.read.get(address, 0) :]
        self.read[address] = len(found)
        return fresh

    def digest(self, officer: str, hour: int = 13, days: int = 0) -> list[Mail]:
        """What the digest's hour brings to an officer."""
        self.office.clock.wib(hour, days=days)
        self.office.work()
        return self.new(officer)

    def send(self, raw: bytes) -> None:
        """An officer presses send, and the daemon works."""
        self.office.submit(raw)
        self.office.work()

    def reply(self, to: Mail, text: str) -> Mail:
        """An officer answers a mail; the receipt."""
        self.send(officer_reply(to.raw, text, now=self.office.clock.now()))
        [receipt] = self.new(str(to.message["To"].addresses[0].addr_spec))
        return receipt

    def press(self, digest: Mail, command: str, line: str, words: str = "", number: str = "") -> Mail:
        """An officer presses a link of a digest, and writes; the receipt."""

        def chosen(link: ReadyAnswer) -> Answer | None:
            return Answer(words, line=line) if link.command == command and number in link.subject else None

        [raw] = answer(digest.raw, chosen, now=self.office.clock.now())
        self.send(raw)
        [receipt] = self.new(str(digest.message["To"].addresses[0].addr_spec))
        return receipt

    def ticket(self, number: str) -> Ticket:
        """The ticket as it stands in the store."""
        stores = self.office.stores()
        found = stores.desk.ticket(number)
        stores.database.close()
        assert found is not None
        return found


@pytest.fixture
def story(office: FlowOffice) -> Story:
    """A queue of two officers."""
    return Story(office)


def test_ambil_and_lepas(story: Story) -> None:
    """Taken by one, the ticket is out of the other's digest; given back by a reply to the receipt, it is in again."""
    number = story.asked()
    [digest] = story.digest(DEWI)
    [other] = story.new(EKO)
    receipt = story.press(digest, "AMBIL", "AMBIL")
    assert "Tiket ini sekarang Anda kerjakan" in receipt.text
    refused = story.press(other, "AMBIL", "AMBIL")
    assert "sedang dikerjakan oleh Dewi" in refused.text
    assert story.digest(EKO, 8, 1) == []
    story.office.clock.wib(8, 30, 1)
    story.office.work()
    assert story.new(EKO) == []
    [mine] = story.new(DEWI)
    assert "Anda kerjakan sampai" in mine.text
    assert "Tiket ini sudah Anda lepaskan" in story.reply(receipt, "LEPAS").text
    [again] = story.digest(EKO, 13, 1)
    assert number in again.text


def test_a_ticket_is_everybodys_again_when_the_time_is_over(story: Story) -> None:
    """Eight hours of opening time later, nobody having done anything."""
    story.asked()
    [digest] = story.digest(DEWI)
    story.new(EKO)
    story.press(digest, "AMBIL", "AMBIL")
    [freed] = story.digest(EKO, 15, 1)
    assert "1 tiket menunggu" in freed.text


def test_alih_to_a_colleague_and_to_a_queue(story: Story) -> None:
    """The colleague is told at once and answers by a reply; another ticket goes to the queue it names."""
    number, other = story.asked(), story.asked("Iklan televisi")
    [digest] = story.digest(DEWI)
    story.new(EKO)
    assert "dialihkan ke Eko" in story.press(digest, "ALIH", "ALIH Eko", number=number).subject
    [notice] = story.new(EKO)
    assert "Dewi mengalihkan tiket ini kepada Anda" in notice.text
    story.reply(notice, "JAWAB\n\nSudah sesuai.")
    [delivery] = story.new(APPLICANT)
    assert "Sudah sesuai." in delivery.text
    story.press(digest, "ALIH", "ALIH konsultasi-it", number=other)
    assert story.ticket(other).queue == "konsultasi-it"


def test_tanya_and_its_answer(story: Story) -> None:
    """The question leaves, the answer comes back to the officer who asked, and the time goes on where it stood."""
    number = story.asked()
    before = story.ticket(number).due_at
    [digest] = story.digest(DEWI)
    story.new(EKO)
    receipt = story.press(digest, "TANYA", "TANYA", "Untuk media apa iklannya?")
    assert "Pertanyaan Anda dikirim kepada pemohon" in receipt.text
    [question] = story.new(APPLICANT)
    assert "Untuk media apa iklannya?" in question.text
    assert (story.ticket(number).state, story.ticket(number).due_at) == (State.WAITING, None)
    story.office.clock.wib(13, days=1)
    story.office.submit(reply(question, "Untuk radio.", sender=WATI))
    story.office.work()
    notice, digest = sorted(story.new(DEWI), key=lambda one: number not in one.subject)
    assert "Pemohon menulis lagi" in notice.text
    assert "PEMOHON MENULIS LAGI" in digest.text
    assert notice.attachments()[0][2] == story.office.servers.messages(IKLAN)[-1], "the answer itself is enclosed"
    after = story.ticket(number)
    assert before is not None
    assert after.due_at is not None
    assert (after.due_at - before).days == 1
    assert story.new(EKO) == [], "Eko does not see it yet"
    story.reply(notice, "JAWAB Baik, sudah sesuai.")
    [delivery] = story.new(APPLICANT)
    assert "Baik, sudah sesuai." in delivery.text


def test_tunda_until_a_day(story: Story) -> None:
    """In no digest until that day, then in the first one."""
    number = story.asked()
    [digest] = story.digest(DEWI)
    assert "Kamis, 26 November 2026" in story.press(digest, "TUNDA", "TUNDA sampai 26 November").text
    assert story.digest(DEWI, 13, 1) == []
    [again] = story.digest(DEWI, 13, 2)
    assert number in again.text


def test_catatan_shows_in_the_next_digest(story: Story) -> None:
    """To the colleague as well, and never to the applicant."""
    story.asked()
    [digest] = story.digest(DEWI)
    story.new(EKO)
    assert "Catatan Anda sudah disimpan" in story.press(digest, "CATATAN", "CATATAN", "Sudah ditelepon.").text
    [other] = story.digest(EKO, 13, 1)
    assert "Catatan: Dewi: Sudah ditelepon." in other.text
    assert "Sudah ditelepon." in other.markup
    assert story.new(APPLICANT) == []


def test_status_and_bantuan_with_a_ticket_and_without(story: Story) -> None:
    """A reply to a notice or receipt asks about its ticket, a reply to the digest about the desk."""
    number = story.asked()
    [digest] = story.digest(DEWI)
    receipt = story.press(digest, "CATATAN", "STATUS")
    assert f"Nomor tiket: {number}" in receipt.text
    assert "Batas waktu: Kamis, 26 November 2026" in receipt.text
    assert "Konsultasi" in story.reply(digest, "STATUS").text
    assert "1 tiket menunggu" in story.press(digest, "STATUS", "STATUS").subject
    assert "- TUNDA: Tunda sampai tanggal tertentu" in story.reply(receipt, "HELP").text
    assert "Daftar perintah" in story.press(digest, "BANTUAN", "BANTUAN").subject


def test_batal_before_it_leaves(story: Story) -> None:
    """An answer that waits ten minutes is called back; the next one leaves when its time has come."""
    story.undo("10 minutes")
    number = story.asked()
    [digest] = story.digest(DEWI)
    receipt = story.press(digest, "JAWAB", "JAWAB", "Salah tulis.")
    assert "balas dengan BATAL" in receipt.text
    assert story.new(APPLICANT) == []
    assert "Dibatalkan" in story.reply(receipt, "BATAL").subject
    assert story.ticket(number).state is State.OPEN
    story.press(digest, "JAWAB", "JAWAB", "Sudah benar.")
    story.office.clock.wib(13, 15)
    story.office.work()
    [delivery] = story.new(APPLICANT)
    assert "Sudah benar." in delivery.text
    assert "tidak dapat ditarik kembali" in story.reply(receipt, "BATAL").text


def test_the_second_answer_and_kirim(story: Story) -> None:
    """Kept back, its author told who was first; sent anyway on a second word."""
    story.asked()
    [digest] = story.digest(DEWI)
    [other] = story.new(EKO)
    story.press(digest, "JAWAB", "JAWAB", "Dari Dewi.")
    held = story.press(other, "JAWAB", "JAWAB", "Dari Eko.")
    assert "sudah dijawab oleh Dewi" in held.text
    [first] = story.new(APPLICANT)
    assert "Dari Dewi." in first.text
    assert "sudah dilaksanakan" in story.reply(held, "KIRIM").subject
    [second] = story.new(APPLICANT)
    assert "Dari Eko." in second.text


def test_cuti_and_the_deputy(story: Story) -> None:
    """No digest while away; the deputy has the items and is told; CUTI SELESAI ends it."""
    number = story.asked()
    [digest] = story.digest(DEWI)
    story.new(EKO)
    receipt = story.press(digest, "CUTI", "CUTI sampai 27 November")
    assert "tiket Anda masuk ke rekap Eko" in receipt.text
    [told] = story.new(EKO)
    assert "Anda mewakili Dewi" in told.subject
    [instead] = story.digest(EKO, 13, 1)
    assert number in instead.text
    assert story.new(DEWI) == []
    assert "Selamat bertugas kembali" in story.reply(receipt, "CUTI SELESAI").text
    [back] = story.digest(DEWI, 13, 2)
    assert number in back.text


def test_several_items_in_one_reply_to_the_digest(story: Story) -> None:
    """One line for each, words below; one letter tells of all."""
    one, two, three = story.asked(), story.asked("Iklan dua"), story.asked("Iklan tiga")
    [digest] = story.digest(DEWI)
    text = f"{one} JAWAB\nSudah sesuai.\n\n{two} AMBIL\n{three}: tunda besok\n\nDikirim dari iPhone saya"
    receipt = story.reply(digest, text)
    assert "3 perintah" in receipt.subject
    [delivery] = story.new(APPLICANT)
    assert f"[{one}]" in delivery.subject
    assert "Sudah sesuai." in delivery.text
    assert "iPhone" not in delivery.text
    assert (story.ticket(two).claimed_by, story.ticket(three).snoozed_until is not None) == (DEWI, True)


def test_who_answered_sees_it_first_when_the_applicant_writes_again(story: Story) -> None:
    """A reply to the delivery reopens the ticket; the officer who answered is told at once, the colleague not."""
    number = story.asked()
    [digest] = story.digest(DEWI)
    story.new(EKO)
    story.press(digest, "JAWAB", "JAWAB", "Sudah sesuai.")
    [delivery] = story.new(APPLICANT)
    story.office.submit(reply(delivery, "Masih ada pertanyaan.", sender=WATI))
    story.office.work()
    [notice] = story.new(DEWI)
    assert number in notice.subject
    assert story.ticket(number).state is State.OPEN
    story.office.clock.wib(8, 30, 1)
    story.office.work()
    assert story.new(EKO) == []
    [next_digest] = story.new(DEWI)
    assert "PEMOHON MENULIS LAGI" in next_digest.text


@pytest.mark.parametrize("said", ["JAWBA Baik.", "", "Terima kasih banyak"])
def test_what_is_no_command_is_answered_with_the_list(story: Story, said: str) -> None:
    """And nothing leaves."""
    story.asked()
    [digest] = story.digest(DEWI)
    receipt = story.press(digest, "JAWAB", said)
    assert "- JAWAB:" in receipt.text or "sudah dilaksanakan" in receipt.subject
    assert ("Mungkin yang Anda maksud: JAWAB" in receipt.text) == said.startswith("JAWBA")


def test_catat_registers_a_caller_who_is_acknowledged_and_answered_by_mail(story: Story) -> None:
    """The ready answer of the digest holds the form; the ticket goes the way of all others."""
    story.asked()
    [digest] = story.digest(DEWI)
    form = (
        "CATAT\nSaluran: telp\nNama: Bu Sari\nKontak: 0812 3456 7890\n"
        f"Email: {APPLICANT}\nAntrean: konsultasi-iklan\nPerihal: Klaim pada spanduk\n\nBolehkah kata sehat?"
    )
    receipt = story.reply(digest, form)
    assert "Kontak sudah dicatat" in receipt.subject
    [letter] = story.new(APPLICANT)
    assert "Terima kasih telah menghubungi kami melalui telepon" in letter.text
    number = receipt.subject.partition("]")[0].removeprefix("[")
    assert number in letter.subject
    assert "Dewi" not in letter.raw.decode("latin-1").partition("\n\n")[0]
    story.reply(receipt, "JAWAB Boleh, dengan syarat.")
    [answered] = story.new(APPLICANT)
    assert "Boleh, dengan syarat." in answered.text
    assert story.ticket(number).state is State.CLOSED
    story.office.submit(reply(answered, "Terima kasih, satu lagi: bagaimana dengan radio?", sender=WATI))
    story.office.work()
    assert story.ticket(number).state is State.OPEN


def test_a_caller_without_an_address_is_in_the_digest_with_the_number_to_call(story: Story) -> None:
    story.asked()
    [digest] = story.digest(DEWI)
    receipt = story.reply(
        digest, "CATAT\nSaluran: WA\nNama: Pak Budi\nKontak: 0857 6554 6186\nAntrean: konsultasi-iklan\n"
    )
    number = receipt.subject.partition("]")[0].removeprefix("[")
    [later] = story.digest(DEWI, hour=9, days=1)
    assert number in later.text
    assert "0857 6554 6186" in later.text
    told = story.reply(receipt, "JAWAB Sudah saya telepon.")
    assert "Tidak ada email yang dikirim" in told.text
    assert story.new(APPLICANT) == []
    assert story.ticket(number).state is State.CLOSED


def noticed(story: Story) -> None:
    """The queue asks for each item at once, beside the digests."""
    rules = story.office.folder / "rules/iklan.yaml"
    text = rules.read_text()
    assert text.count("    outcomes:\n") == 1
    rules.write_text(text.replace("    outcomes:\n", "    notices: yes\n    outcomes:\n"))


def test_a_notice_at_once_reaches_whoever_is_there(story: Story) -> None:
    """Both officers of the queue; without the one who is away and has no deputy, the other; answered by a reply."""
    noticed(story)
    story.asked()
    [first], [other] = story.new(DEWI), story.new(EKO)
    assert "Tiket ini menunggu jawaban Anda" in first.text
    away = story.reply(other, "CUTI sampai 27 November")
    assert "tiket tetap di antreannya dan dilayani petugas lain" in away.text
    assert "- Konsultasi IT" in away.text, "where nobody else is"
    story.new(DEWI)
    number = story.asked("Iklan televisi")
    [second] = story.new(DEWI)
    assert number in second.subject
    assert story.new(EKO) == []
    story.reply(second, "JAWAB Sudah sesuai.")
    [delivery] = story.new(APPLICANT)
    assert "Sudah sesuai." in delivery.text
    assert story.digest(EKO) == []
    [digest] = story.new(DEWI)
    assert "1 tiket menunggu" in digest.text, "what a notice told and nobody answered is in the digest as well"


def test_no_digest_on_a_holiday(story: Story) -> None:
    """Christmas 2026 is a Friday: Thursday's and Monday's digests come, none between."""
    story.asked()
    assert len(story.digest(DEWI, 13, 29)) == 1, "Wednesday"
    story.new(EKO)
    assert story.digest(DEWI, 13, 31) == [], "Christmas Day"
    assert story.digest(DEWI, 13, 32) == story.new(EKO) == [], "Saturday"
    assert len(story.digest(DEWI, 13, 34)) == 1, "Monday"
