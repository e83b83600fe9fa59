"""Each channel against a real server: what arrives, how it is protected, what is said when it does not arrive."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from dx_pipeline.alerts.channels import Outcome, notifiers, send_within_limit
from dx_pipeline.alerts.message import Entry, Message, compose
from dx_pipeline.settings import Settings
from tests.certificate import make_certificate
from tests.http_server import Reply, serving
from tests.mail_server import MailServer, mail_server, silent_server

PASSWORD, TOKEN, SECRET = "Mật-khẩu-9c41e7", "tok-5f21c8aa", "ký-77ab03"
Certificate = tuple[Path, ssl.SSLContext]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def message(subject: str = "one_stop.ho_so", label: str = "thử", code: str = "han_tra_missing") -> Message:
    facts = {"judged": 200, "rejected": 30, "percent": 15.0, "limit_percent": 5.0, "codes": {code: 30}}
    at = datetime(2024, 7, 1, 1, tzinfo=UTC)
    return compose(label, [Entry("raised", "quality_low", subject, "warning", "H50.14", 12, facts, at)], "k" * 64)


def settings(home: Path, **values: object) -> Settings:
    chosen = {"home": home, "alert_log": "off", "alert_timeout_seconds": 2, "alert_label": "thử", **values}
    return Settings(**chosen)


def mail_settings(home: Path, server: MailServer | int, **values: object) -> Settings:
    port = server if isinstance(server, int) else server.port
    addresses = {"alert_from": "dx@tinh.example", "alert_to": "a@tinh.example, b@tinh.example"}
    return settings(
        home,
        alert_smtp_host="127.0.0.1",
        alert_smtp_port=port,
        **{"alert_smtp_security": "none", **addresses, **values},
    )


def send(chosen: Settings, told: Message | None = None) -> Outcome:
    """By the only channel that is set."""
    (outcome,) = send_within_limit([(one, told or message()) for one in notifiers(chosen)], chosen).values()
    return outcome


# -- mail ----------------------------------------------------------------------------------------------


def test_a_mail_over_starttls_with_a_login(tmp_path: Path, certificate: Certificate) -> None:
    (tmp_path / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    with mail_server(context=certificate[1], account=("dx", PASSWORD)) as server:
        outcome = send(
            mail_settings(
                tmp_path,
                server,
                alert_smtp_security="starttls",
                alert_smtp_ca_file=certificate[0],
                alert_smtp_user="dx",
                alert_smtp_password_file=tmp_path / "password",
            )
        )
    assert outcome == Outcome(True, None)
    (mail,) = server.mails
    assert server.was_encrypted == [True]
    assert server.recipients == [["a@tinh.example", "b@tinh.example"]]
    assert mail["Subject"] == "[dx thử] 1 mới·new: one_stop.ho_so"
    assert (mail["From"], mail["To"]) == ("dx@tinh.example", "a@tinh.example, b@tinh.example")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().replace("\r\n", "\n").splitlines() == [
        "[dx thử] 1 mới·new: one_stop.ho_so",
        "",
        "MỚI · NEW  one_stop.ho_so (cơ quan · owner H50.14), từ · since 2024-07-01 08:00",
        "  chất lượng dưới ngưỡng: dòng bị loại 30 / 200 = 15 % > 5 % (han_tra_missing 30), lô 12",
        "  quality below the threshold: rows rejected 30 / 200 = 15 % > 5 % (han_tra_missing 30), batch 12",
        "  → dx quarantine summary -d one_stop.ho_so",
        "",
        "Tất cả · All: dx alerts show    Tắt tiếng · Mute: dx alerts mute --help",
    ]


def test_a_certificate_nobody_vouches_for_gets_no_password(tmp_path: Path, certificate: Certificate) -> None:
    with mail_server(context=certificate[1], account=("dx", PASSWORD)) as server:
        outcome = send(
            mail_settings(
                tmp_path, server, alert_smtp_security="starttls", alert_smtp_user="dx", alert_smtp_password=PASSWORD
            )
        )
    assert not outcome.taken
    assert "its certificate is not trusted (self-signed certificate)" in str(outcome.trouble)
    assert server.mails == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_no_password_without_encryption(tmp_path: Path) -> None:
    with mail_server(account=("dx", PASSWORD)) as server:
        clear = send(mail_settings(tmp_path, server, alert_smtp_user="dx", alert_smtp_password=PASSWORD))
        stripped = send(
            mail_settings(
                tmp_path, server, alert_smtp_user="dx", alert_smtp_password=PASSWORD, alert_smtp_security="starttls"
            )
        )
    assert "a password is not sent to a mail server without encryption" in str(clear.trouble)
    assert "does not offer what is set: STARTTLS" in str(stripped.trouble)
    assert (clear.taken, stripped.taken, server.mails) == (False, False, [])


def test_what_a_mail_server_refuses_is_told_without_a_secret(tmp_path: Path, certificate: Certificate) -> None:
    secure = {"alert_smtp_security": "starttls", "alert_smtp_ca_file": certificate[0], "alert_smtp_user": "dx"}
    with mail_server(context=certificate[1], account=("dx", PASSWORD)) as server:
        for wrong in ("Sai-mat-khau", "Sai-mật-khẩu"):
            outcome = send(mail_settings(tmp_path, server, alert_smtp_password=wrong, **secure))
            assert outcome == Outcome(False, "the mail server answers 535 (SMTPAuthenticationError)")
    with mail_server() as server:
        server.refuses_data = "552 quota: Mật-khẩu"
        assert send(mail_settings(tmp_path, server)) == Outcome(False, "the mail server answers 552 (SMTPDataError)")
        server.refuses_data, server.refused = None, ("a@tinh.example", "b@tinh.example")
        assert send(mail_settings(tmp_path, server)) == Outcome(False, "the mail server refuses every address (550)")
        server.refused = ("b@tinh.example",)
        partly = send(mail_settings(tmp_path, server))
    assert partly == Outcome(True, "the mail server refuses 1 of the addresses (550)"), "not sent to the others again"
    assert server.recipients == [["a@tinh.example"]]


@pytest.mark.parametrize(
    "hostile",
    ["x\r\nBcc: evil@x.example", "x\nBcc: evil@x.example\n\nthân giả", "x\x0bBcc: evil@x.example", "x\u2028Bcc: evil@x.example"],
)  # fmt: skip
def test_no_header_can_be_smuggled_in(tmp_path: Path, hostile: str) -> None:
    """Names and codes are checked where they come in; should one get through, it stays one line of text."""
    with mail_server() as server:
        outcome = send(mail_settings(tmp_path, server), message(hostile, hostile, hostile))
    assert outcome == Outcome(True, None)
    (mail,) = server.mails
    assert sorted(mail.keys()) == [
        "Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "MIME-Version", "Message-ID",
        "Subject", "To",
    ]  # fmt: skip
    assert mail["Bcc"] is None
    assert server.recipients == [["a@tinh.example", "b@tinh.example"]]
    assert not any(line.startswith("Bcc") for line in mail.get_content().splitlines())


@pytest.mark.parametrize(
    "address", ["a@x.example\r\nBcc: b@x.example", "a", "<a@x.example>", "a@x.example b@x.example", "ă@x.example"]
)
def test_an_address_is_a_plain_address(tmp_path: Path, address: str) -> None:
    for name in ("alert_from", "alert_to"):
        with pytest.raises(ValidationError, match="is not a plain mail address"):
            settings(tmp_path, **{name: address})
    with pytest.raises(ValidationError, match="cannot be seen"):
        settings(tmp_path, alert_label="x\ny")


# -- webhook -------------------------------------------------------------------------------------------


def test_a_post_with_token_and_signature(tmp_path: Path) -> None:
    with serving(lambda _: Reply(status=204)) as server:
        chosen = settings(
            tmp_path,
            alert_webhook_url=f"{server.url}/hook?room=1",
            alert_webhook_token=TOKEN,
            alert_webhook_secret=SECRET,
        )
        assert send(chosen) == Outcome(True, None)
        assert send(settings(tmp_path, alert_webhook_url=f"{server.url}/plain")) == Outcome(True, None)
    signed, plain = server.requests
    assert (signed.path, signed.query) == ("/hook", {"room": "1"})
    assert signed.headers["Authorization"] == f"Bearer {TOKEN}"
    timestamp = signed.headers["X-Dx-Timestamp"]
    assert abs(time.time() - int(timestamp)) < 60
    expected = hmac.new(SECRET.encode(), timestamp.encode() + b"." + signed.body, hashlib.sha256).hexdigest()
    assert signed.headers["X-Dx-Signature"] == f"sha256={expected}"
    assert signed.headers["X-Dx-Delivery"] == "k" * 64
    document = json.loads(signed.body)
    (alert,) = document["alerts"]
    assert document["text"].startswith("[dx thử] 1 mới·new")
    assert {name: alert[name] for name in ("event", "kind", "subject", "owner_agency", "batch_id", "next")} == {
        "event": "raised",
        "kind": "quality_low",
        "subject": "one_stop.ho_so",
        "owner_agency": "H50.14",
        "batch_id": 12,
        "next": "dx quarantine summary -d one_stop.ho_so",
    }
    assert alert["facts"]["codes"] == {"han_tra_missing": 30}
    assert not {"Authorization", "X-Dx-Signature"} & plain.headers.keys()


@pytest.mark.parametrize("status", [301, 307, 401, 500])
def test_what_a_webhook_answers_is_told_by_its_number(tmp_path: Path, status: int) -> None:
    """Redirects are not followed: the token would go with them. Nothing of the answer is repeated."""
    with serving(
        lambda request: Reply(request.headers["Authorization"].encode(), status, {"Location": "/else"})
    ) as server:
        chosen = settings(tmp_path, alert_webhook_url=f"{server.url}/hook", alert_webhook_token=TOKEN)
        assert send(chosen) == Outcome(False, f"the webhook answers HTTP {status}")
        assert [request.path for request in server.requests] == ["/hook"]


@pytest.mark.parametrize(
    "url", ["ftp://h/x", "http://hook.example/x", "https://user:geheim@h/x", "https://", "hook", "https://[::bad"]
)
def test_a_url_that_is_none_or_would_leak_is_refused(tmp_path: Path, url: str) -> None:
    outcome = send(settings(tmp_path, alert_webhook_url=url, alert_webhook_token=TOKEN))
    assert not outcome.taken
    assert "DX_ALERT_WEBHOOK_URL is no URL of a webhook" in str(outcome.trouble)
    assert "geheim" not in str(outcome.trouble)


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    chosen = settings(tmp_path, alert_webhook_url="http://127.0.0.1:1/", alert_webhook_token_file=tmp_path / "none")
    assert "DX_ALERT_WEBHOOK_TOKEN_FILE" in str(send(chosen).trouble)
    assert "cannot be read: No such file or directory" in str(send(chosen).trouble)


# -- the log, and channels that hang -----------------------------------------------------------------------


def test_the_log_is_one_line_per_alert_and_private(tmp_path: Path) -> None:
    chosen = settings(tmp_path, alert_log="file")
    assert send(chosen) == Outcome(True, None)
    path = tmp_path / "alerts" / "alerts.ndjson"
    (line,) = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert (line["event"], line["subject"], line["facts"]["rejected"]) == ("raised", "one_stop.ho_so", 30)
    assert path.stat().st_mode & 0o777 == 0o600
    path.unlink()
    path.mkdir()
    assert "cannot be written: Is a directory" in str(send(chosen).trouble)


def test_channels_that_are_away_or_hang_cost_bounded_time(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = unused.getsockname()[1]
    down = send(mail_settings(tmp_path, closed))
    assert down == Outcome(False, "the mail server gives no service: Connection refused")

    def trickle(connection: socket.socket) -> None:  # each byte in time, the answer never
        for _ in range(100):
            connection.sendall(b"H")
            time.sleep(0.1)

    with silent_server() as silent, serving(lambda _: Reply(raw=trickle)) as slow:
        chosen = mail_settings(tmp_path, silent, alert_timeout_seconds=0.5, alert_webhook_url=slow.url)
        threads = threading.active_count()
        started = time.monotonic()
        outcomes = send_within_limit([(one, message()) for one in notifiers(chosen)], chosen)
        assert time.monotonic() - started < 2, "both at once, each no longer than twice the limit"
    assert [outcome.taken for outcome in outcomes.values()] == [False, False]
    assert list(outcomes) == ["smtp", "webhook"]
    assert threading.active_count() < threads + 10, "whom nobody waits for are few"


def test_no_secret_is_in_what_settings_show(tmp_path: Path) -> None:
    chosen = settings(
        tmp_path,
        alert_smtp_password=PASSWORD,
        alert_webhook_token=TOKEN,
        alert_webhook_secret=SECRET,
        alert_webhook_url="https://hook.example/T0k3n",
    )
    shown = repr(chosen) + str(chosen) + json.dumps(chosen.model_dump(), default=str)
    assert not [secret for secret in (PASSWORD, TOKEN, SECRET, "T0k3n") if secret in shown]
