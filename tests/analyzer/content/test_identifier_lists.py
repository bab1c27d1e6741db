"""Lists to fill in, and lists filled from saved outputs of adb."""

import re
import tomllib

import pytest

from phonehome.analyzer.content.identifier_lists import from_adb, listed, template
from phonehome.analyzer.content.identifiers import IdentifiersError, read_identifiers
from phonehome.captures.words import IDENTIFIER_KINDS

GETPROP = """[ro.product.model]: [Pixel 7]
[ro.serialno]: [2A061FDH2003ZK]
[ro.boot.serialno]: [2A061FDH2003ZK]
[ro.boot.wifimacaddr]: [94:45:60:12:34:56]
[persist.radio.imei0]: [490154203237518]
"""
SECURE = """android_id=9774d56d682e549c
bluetooth_address=94:45:60:12:34:57
"""
DUMPSYS = """Wi-Fi is enabled
mWifiInfo SSID: "Parrot Nest \\"5G\\"", BSSID: 3c:84:6a:01:02:03, MAC: 02:00:00:00:00:00
  last location=Location[fused 43.651070,-79.347015 hAcc=12.0 et=+1h]
Accounts: 1
  Account {name=ann.test@parrot.example, type=com.google}
  Account {name=annparrot, type=com.parrot}
  Device ID = 490154203237518
"""


def saved(tmp_path, **texts):
    for name, text in texts.items():
        path = tmp_path / f"{name}.txt"
        path.write_text(text, encoding="utf-8")
        yield path


def test_a_template_names_every_kind_and_is_a_list_once_filled_in():
    text = template()
    parsed = tomllib.loads(text)
    assert len(parsed["digest_key"]) == 32
    assert template() != text
    for kind in IDENTIFIER_KINDS:
        assert f'# kind = "{kind}"' in text


def test_a_template_that_is_filled_in_is_read(tmp_path):
    is_entry = re.compile(r"^# (?=\[\[|\w+ = )", re.MULTILINE)
    text = is_entry.sub("", template()).replace('value = ""', 'value = "490154203237518"')
    (tmp_path / "planted.jpg").write_bytes(bytes(range(99)))
    path = tmp_path / "known.toml"
    path.write_text(text, encoding="utf-8")
    assert len(read_identifiers([path]).identifiers) == len(IDENTIFIER_KINDS)


def test_outputs_of_adb_fill_a_list(tmp_path):
    found = from_adb(list(saved(tmp_path, getprop=GETPROP, secure=SECURE, dumpsys=DUMPSYS)))
    assert dict(found)["serial"] == "2A061FDH2003ZK"
    assert [value for kind, value in found if kind == "imei"] == ["490154203237518"]
    assert [value for kind, value in found if kind == "mac"] == [
        "94:45:60:12:34:56",
        "94:45:60:12:34:57",
    ]
    assert dict(found)["android_id"] == "9774d56d682e549c"
    assert dict(found)["email"] == "ann.test@parrot.example"
    assert dict(found)["account"] == "annparrot"
    assert dict(found)["bssid"] == "3c:84:6a:01:02:03"
    assert dict(found)["coordinates"] == "43.651070,-79.347015"


def test_a_list_from_adb_is_read_back(tmp_path):
    found = from_adb(list(saved(tmp_path, dumpsys=DUMPSYS)))
    path = tmp_path / "known.toml"
    path.write_text(listed(found), encoding="utf-8")
    known = read_identifiers([path])
    assert [(one.kind, one.value) for one in known.identifiers] == found
    assert known.key is not None


def test_outputs_that_tell_nothing_are_refused(tmp_path):
    with pytest.raises(IdentifiersError, match="nothing known in it"):
        from_adb(list(saved(tmp_path, x="Wi-Fi is disabled\n")))


def test_what_android_says_instead_of_a_value_is_none(tmp_path):
    text = '[x.wifi.mac]: [02:00:00:00:00:00]\nSSID: "<unknown ssid>"\nandroid_id=9774d56d682e549c'
    assert from_adb(list(saved(tmp_path, x=text))) == [("android_id", "9774d56d682e549c")]
