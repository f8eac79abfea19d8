#!/usr/bin/env python3
"""Assembles mbim-bodies.json: one information buffer for each body that mbim-vectors.json does not cover.

A second implementation of the layouts, on purpose: it knows nothing of mbim-proto and shares no code with it. A mistake
that reader and writer of mbim-proto have in common shows here. Run it after adding an entry, then commit both files.
"""

import json
import pathlib
import struct
import uuid

BASIC = "a289cc33-bcbb-8b4f-b6b0-133ec2aae6df"
EXT = "3d01dcc5-fef5-4d05-0d3a-bef7058e9aaf"
INTERNET = "7e5e2a7e-4e6f-7272-736b-656e7e5e2a7e"
IMS = "21610d01-3074-4bce-9425-b53a07d697d6"
SMS = "533fbeeb-14fe-4467-9f90-33a223e56c3f"


def pad(data):
    return data + bytes(-len(data) % 4)


def u16(n):
    return struct.pack("<H", n)


def u32(n):
    return struct.pack("<I", n)


def u64(n):
    return struct.pack("<Q", n)


def uid(text):
    return uuid.UUID(text).bytes


def utf16(text):
    return text.encode("utf-16-le")


class Ref:
    """Offset and size of something in the data buffer; `size` overstates it, `bare` leaves the size off."""

    def __init__(self, data, bare=False, extra=0):
        self.data, self.bare, self.extra = data, bare, extra


class Sized(Ref):
    """Size first, then offset."""


def text(value):
    return Ref(utf16(value))


def structure(*parts, tail=b""):
    """Fixed part in order, references filled in, then the data buffer in the order of the references, then the tail."""
    size = sum(len(p) if isinstance(p, bytes) else (4 if p.bare else 8) for p in parts)
    fixed, data = b"", b""
    for part in parts:
        if isinstance(part, bytes):
            fixed += part
            continue
        offset = size + len(data) if part.data else 0
        length = u32(len(part.data) + (part.extra if part.data else 0))
        if isinstance(part, Sized):
            fixed += length + u32(offset)
        else:
            fixed += u32(offset) + (b"" if part.bare else length)
        data += pad(part.data)
    return fixed + data + tail


def tlv(kind, data, reserved=0):
    padding = -len(data) % 4
    return u16(kind) + bytes([reserved, padding]) + u32(len(data)) + data + bytes(padding)


def provider(pid, state, name, cellular=1, rssi=99, error=99):
    return structure(text(pid), u32(state), text(name), u32(cellular), u32(rssi), u32(error))


def provider_fields(pid, state, name, cellular=1, rssi=99, error=99):
    return {"ProviderId": pid, "ProviderState": state, "ProviderName": name, "CellularClass": cellular, "Rssi": rssi,
            "ErrorRate": error}


VECTORS = []


def vector(name, cid, operation, buffer, fields, mbimex=1, service=BASIC, note="", canonical=True):
    VECTORS.append({"id": name, "service": service, "cid": cid, "operation": operation, "mbimex": mbimex,
                    "hex": buffer.hex(), "fields": fields, "canonical": canonical, "note": note})


def words(name, cid, operation, fields, mbimex=1, service=BASIC, note=""):
    vector(name, cid, operation, b"".join(u32(n) for n in fields.values()), fields, mbimex, service, note)


for cid, name in [(1, "device-caps"), (2, "subscriber-ready"), (3, "radio-state"), (4, "pin"), (5, "pin-list"),
                  (6, "home-provider"), (7, "preferred-providers"), (9, "register-state"), (10, "packet-service"),
                  (11, "signal-state"), (13, "provisioned-contexts"), (16, "device-services"), (20, "packet-statistics"),
                  (21, "network-idle-hint"), (22, "emergency-mode"), (24, "multicarrier-providers")]:
    words(f"{name}-query", cid, "query", {})

vector("device-caps", 1, "response",
       structure(u32(1), u32(1), u32(1), u32(2), u32(0x8000003F), u32(3), u32(3), u32(8), text("HSPA+"),
                 text("490154203237518"), text("FW 1.2"), text("Model")),
       {"DeviceType": 1, "CellularClass": 1, "VoiceClass": 1, "SimClass": 2, "DataClass": 0x8000003F, "SmsCaps": 3,
        "ControlCaps": 3, "MaxSessions": 8, "CustomDataClass": "HSPA+", "DeviceId": "490154203237518",
        "FirmwareInfo": "FW 1.2", "HardwareInfo": "Model"})

READY = {"SubscriberId": "001010123456789", "SimIccId": "8999101000000000017", "ReadyInfo": 1,
         "TelephoneNumbersCount": 2, "TelephoneNumbers": ["+15550100", "+15550101"]}
IDENTITY = (text(READY["SubscriberId"]), text(READY["SimIccId"]), u32(1), u32(2))
NUMBERS = (text("+15550100"), text("+15550101"))
vector("subscriber-ready", 2, "response", structure(u32(1), *IDENTITY, *NUMBERS), {"ReadyState": 1} | READY)
vector("subscriber-ready-without-sim", 2, "notify", structure(u32(2), text(""), text(""), u32(0), u32(0)),
       {"ReadyState": 2, "SubscriberId": "", "SimIccId": "", "ReadyInfo": 0, "TelephoneNumbersCount": 0,
        "TelephoneNumbers": []}, note="empty strings are offset 0, size 0")
vector("subscriber-ready-v3", 2, "notify", structure(u32(1), u32(7), *IDENTITY, *NUMBERS),
       {"ReadyState": 1, "Flags": 7} | READY, 3)
words("subscriber-ready-query-v4", 2, "query", {"SlotId": 1}, 4)
vector("subscriber-ready-v4", 2, "response", structure(u32(1), u32(0xF), *IDENTITY, u32(1), *NUMBERS),
       {"ReadyState": 1, "Flags": 15, "SlotId": 1} | READY, 4, note="SlotId stands before the pairs")
vector("subscriber-ready-sloppy", 2, "response",
       structure(u32(77), Ref(utf16("00101\0")), Ref(utf16("89") + b"\x39"), u32(0), u32(1),
                 Ref(b"\x3d\xd8" + utf16("1"))),
       {"ReadyState": 77, "SubscriberId": "00101", "SimIccId": "89", "ReadyInfo": 0, "TelephoneNumbersCount": 1,
        "TelephoneNumbers": ["\ufffd1"]}, canonical=False,
       note="unknown state, trailing NUL, odd size, lone surrogate")

words("radio-state-set", 3, "set", {"RadioState": 1})
words("radio-state", 3, "response", {"HwRadioState": 1, "SwRadioState": 0})
vector("pin-set", 4, "set", structure(u32(2), u32(3), text("1234"), text("00009999")),
       {"PinType": 2, "PinOperation": 3, "Pin": "1234", "NewPin": "00009999"})
words("pin", 4, "response", {"PinType": 11, "PinState": 1, "RemainingAttempts": 0xFFFFFFFF},
      note="attempts unknown")
DESCS = ["Pin1", "Pin2", "DeviceSimPin", "DeviceFirstSimPin", "NetworkPin", "NetworkSubsetPin", "ServiceProviderPin",
         "CorporatePin", "SubsidyLock", "Custom"]
vector("pin-list", 5, "response", b"".join(u32(1) + u32(n % 3) + u32(n) + u32(n + 8) for n in range(10)),
       {f"PinDesc{d}": {"PinMode": 1, "PinFormat": n % 3, "PinLengthMin": n, "PinLengthMax": n + 8}
        for n, d in enumerate(DESCS)})
vector("home-provider", 6, "response", provider("00101", 0x11, "Test"), {"Provider": provider_fields("00101", 0x11, "Test")})
for cid, name in [(7, "preferred-providers"), (8, "visible-providers"), (24, "multicarrier-providers")]:
    vector(name, cid, "response",
           structure(u32(2), Ref(provider("001010", 8, "One", rssi=17)), Ref(provider("00102", 2, "Zwei 😀"))),
           {"ProvidersCount": 2, "Providers": [provider_fields("001010", 8, "One", rssi=17),
                                               provider_fields("00102", 2, "Zwei 😀")]})
vector("visible-providers-overstated", 8, "response",
       structure(u32(1), Ref(provider("00101", 8, "One"), extra=4)),
       {"ProvidersCount": 1, "Providers": [provider_fields("00101", 8, "One")]}, canonical=False,
       note="the pair's size is 4 too large, as some devices send it")
words("visible-providers-query", 8, "query", {"Action": 1})

vector("register-state-set", 9, "set", structure(text("00101"), u32(1), u32(0x20)),
       {"ProviderId": "00101", "RegisterAction": 1, "DataClass": 0x20})
REGISTER = {"NwError": 0, "RegisterState": 4, "RegisterMode": 1, "AvailableDataClasses": 0x60,
            "CurrentCellularClass": 1, "ProviderId": "00101", "ProviderName": "Test net", "RoamingText": "Roaming",
            "RegistrationFlag": 2}
STATE = (u32(0), u32(4), u32(1), u32(0x60), u32(1), text("00101"), text("Test net"), text("Roaming"), u32(2))
vector("register-state", 9, "response", structure(*STATE), REGISTER)
vector("register-state-v2", 9, "notify", structure(*STATE, u32(0x20)), REGISTER | {"PreferredDataClasses": 0x20}, 2,
       note="PreferredDataClasses at offset 48")
vector("register-state-v2-unasked", 9, "response", structure(*STATE, u32(0x20)), REGISTER, 1, canonical=False,
       note="a 2.0 layout read as 1.0: the older prefix")

words("packet-service-set", 10, "set", {"PacketServiceAction": 0})
SPEEDS = {"UplinkSpeed": 50_000_000, "DownlinkSpeed": 0xFFFFFFFFFFFFFFFF}
RATES = u64(50_000_000) + u64(0xFFFFFFFFFFFFFFFF)
vector("packet-service", 10, "response", u32(0) + u32(2) + u32(0x20) + RATES,
       {"NwError": 0, "PacketServiceState": 2, "HighestAvailableDataClass": 0x20} | SPEEDS,
       note="u64 follow without alignment")
V2 = {"NwError": 0, "PacketServiceState": 2, "CurrentDataClass": 0x40} | SPEEDS | {"FrequencyRange": 3}
vector("packet-service-v2", 10, "notify", u32(0) + u32(2) + u32(0x40) + RATES + u32(3), V2, 2,
       note="FrequencyRange at offset 28")
vector("packet-service-v3", 10, "response",
       u32(0) + u32(2) + u32(0x40) + RATES + u32(3) + u32(2) + u16(1) + u16(1) + u32(0x1234) + tlv(9, b"\1\2\3\4\5"),
       V2 | {"DataSubclass": 2, "Tai": {"PlmnMcc": 1, "PlmnMnc": 1, "Tac": 0x1234},
             "UnnamedIes": [{"type": 9, "data": "0102030405"}]}, 3)

words("signal-state-set", 11, "set", {"SignalStrengthInterval": 30, "RssiThreshold": 2, "ErrorRateThreshold": 0xFFFFFFFF})
SIGNAL = {"Rssi": 21, "ErrorRate": 99, "SignalStrengthInterval": 30, "RssiThreshold": 2, "ErrorRateThreshold": 0}
words("signal-state", 11, "response", SIGNAL)
vector("signal-state-v2-without-table", 11, "response", b"".join(map(u32, SIGNAL.values())) + bytes(8),
       SIGNAL | {"RsrpSnr": []}, 2)

words("connect-query-v3", 12, "query", {"SessionId": 3}, 3)
vector("connect-query", 12, "query", u32(2) + bytes(12) + bytes(16) + u32(0),
       {"SessionId": 2, "ActivationState": 0, "VoiceCallState": 0, "IpType": 0,
        "ContextType": "00000000-0000-0000-0000-000000000000", "NwError": 0},
       note="only SessionId means something")
vector("connect-v3", 12, "notify",
       u32(1) + u32(1) + u32(0) + u32(3) + uid(INTERNET) + u32(50) + u32(1) + tlv(10, utf16("internet"))
       + tlv(13, b"\x80\x21\x0a") + tlv(0x7777, b"")[:8],
       {"SessionId": 1, "ActivationState": 1, "VoiceCallState": 0, "IpType": 3, "ContextType": INTERNET, "NwError": 50,
        "MediaPreference": 1, "AccessString": "internet",
        "UnnamedIes": [{"type": 13, "data": "80210a"}, {"type": 0x7777, "data": ""}]}, 3,
       note="an unknown element is kept")
vector("connect-v3-cut-padding", 12, "notify",
       u32(1) + u32(1) + u32(0) + u32(3) + uid(INTERNET) + u32(0) + u32(1) + tlv(10, utf16("odd"))[:-2],
       {"SessionId": 1, "ActivationState": 1, "VoiceCallState": 0, "IpType": 3, "ContextType": INTERNET, "NwError": 0,
        "MediaPreference": 1, "AccessString": "odd", "UnnamedIes": []}, 3, canonical=False,
       note="the last padding is missing")
vector("connect-set-v4", 12, "set",
       u32(0) + u32(1) + u32(3) + u32(0) + u32(1) + u32(2) + uid(INTERNET) + u32(1) + tlv(10, utf16("apn"))
       + tlv(10, utf16("u")) + tlv(10, utf16("p")) + tlv(2, b"\1\2\3\4"),
       {"SessionId": 0, "ActivationCommand": 1, "ActivationOption": 3, "Compression": 0, "AuthProtocol": 1, "IpType": 2,
        "ContextType": INTERNET, "MediaPreference": 1, "AccessString": "apn", "UserName": "u", "Password": "p",
        "UnnamedIes": [{"type": 2, "data": "01020304"}]}, 4)

vector("provisioned-contexts-set", 13, "set",
       structure(u32(0xFFFFFFFF), uid(INTERNET), text("internet"), text("user"), text("secret"), u32(0), u32(2),
                 text("00101")),
       {"ContextId": 0xFFFFFFFF, "ContextType": INTERNET, "AccessString": "internet", "UserName": "user",
        "Password": "secret", "Compression": 0, "AuthProtocol": 2, "ProviderId": "00101"})
CONTEXT = structure(u32(5), uid(IMS), text("ims"), text(""), text(""), u32(0), u32(0))
vector("provisioned-contexts", 13, "response", structure(u32(1), Ref(CONTEXT)),
       {"ProvisionedContextsCount": 1, "ProvisionedContexts": [
           {"ContextId": 5, "ContextType": IMS, "AccessString": "ims", "UserName": "", "Password": "", "Compression": 0,
            "AuthProtocol": 0}]})
vector("service-activation-set", 14, "set", b"\x01\x02\x03\x04\x05", {"Buffer": "0102030405"}, note="unpadded")
vector("service-activation", 14, "response", u32(0) + b"\xaa", {"NwError": 0, "Buffer": "aa"})

vector("ip-configuration-scattered", 15, "notify",
       u32(0) + u32(0xF) + u32(0) + u32(1) + u32(60) + u32(0) + u32(0) + u32(69) + u32(0) + u32(1) + u32(69) + u32(0)
       + u32(0) + u32(1500) + u32(0) + u32(24) + bytes([10, 0, 0, 2]) + b"\xff" + bytes([10, 0, 0, 1]),
       {"SessionId": 0, "IPv4ConfigurationAvailable": 15, "IPv6ConfigurationAvailable": 0, "IPv4AddressCount": 1,
        "IPv4Address": [{"OnLinkPrefixLength": 24, "IPv4Address": "10.0.0.2"}], "IPv6AddressCount": 0, "IPv6Address": [],
        "IPv4Gateway": "10.0.0.1", "IPv6Gateway": None, "IPv4DnsServerCount": 1, "IPv4DnsServer": ["10.0.0.1"],
        "IPv6DnsServerCount": 0, "IPv6DnsServer": [], "IPv4Mtu": 1500, "IPv6Mtu": 0}, canonical=False,
       note="unaligned items, two references to the same bytes")

EVENT = structure(uid(BASIC), u32(3), u32(2), u32(9), u32(12))
vector("subscribe-list", 19, "set", structure(u32(2), Ref(EVENT), Ref(structure(uid(SMS), u32(0)))),
       {"EventsCount": 2, "Events": [{"DeviceServiceId": BASIC, "CidsCount": 3, "Cids": [2, 9, 12]},
                                     {"DeviceServiceId": SMS, "CidsCount": 0, "Cids": []}]})
vector("packet-statistics", 20, "response",
       u32(1) + u32(2) + u64(1 << 40) + u64(4) + u64(5) + u64(6) + u32(7) + u32(8),
       {"InDiscards": 1, "InErrors": 2, "InOctets": 1 << 40, "InPackets": 4, "OutOctets": 5, "OutPackets": 6,
        "OutErrors": 7, "OutDiscards": 8})
words("network-idle-hint", 21, "set", {"State": 1})
words("emergency-mode", 22, "notify", {"State": 1})

FILTER = structure(u32(5), Ref(b"\x45\0\0\0\x54", bare=True), Ref(b"\xff\0\0\0\xff", bare=True))
vector("ip-packet-filters", 23, "set", structure(u32(1), u32(1), Ref(FILTER)),
       {"SessionId": 1, "PacketFiltersCount": 1, "PacketFilters": [
           {"FilterSize": 5, "PacketFilter": "4500000054", "PacketMask": "ff000000ff"}]})
FILTER = structure(u32(2), Ref(b"\x60\0", bare=True), Ref(b"\xf0\0", bare=True), u32(9))
vector("ip-packet-filters-v3", 23, "response", structure(u32(0), u32(1), Ref(FILTER)),
       {"SessionId": 0, "PacketFiltersCount": 1, "PacketFilters": [
           {"FilterSize": 2, "PacketFilter": "6000", "PacketMask": "f000", "FilterId": 9}]}, 3)

for cid, name in [(1, "provisioned-contexts"), (2, "network-denylist"), (3, "lte-attach-configuration"),
                  (4, "lte-attach-info"), (5, "sys-caps"), (6, "device-caps"), (7, "slot-mappings"), (12, "location-info")]:
    words(f"ext-{name}-query", cid, "query", {}, service=EXT)
for cid, name in [(16, "modem-configuration"), (17, "registration-parameters"), (18, "network-params"),
                  (19, "wake-reason")]:
    words(f"ext-{name}-query", cid, "query", {}, 3, EXT)
LOGIN = (text("ims"), text("user"), text("secret"), u32(0), u32(2))
LOGIN_FIELDS = {"AccessString": "ims", "UserName": "user", "Password": "secret", "Compression": 0, "AuthProtocol": 2}
KIND = {"ContextType": IMS, "IpType": 3, "State": 1, "Roaming": 6, "MediaType": 2, "Source": 1}
KIND_PARTS = (uid(IMS), u32(3), u32(1), u32(6), u32(2), u32(1))
vector("ext-provisioned-contexts-set", 1, "set", structure(u32(1), *KIND_PARTS, *LOGIN),
       {"Operation": 1} | KIND | LOGIN_FIELDS, service=EXT)
vector("ext-provisioned-contexts", 1, "notify", structure(u32(1), Ref(structure(u32(4), *KIND_PARTS, *LOGIN))),
       {"ProvisionedContextsCount": 1, "ProvisionedContexts": [{"ContextId": 4} | KIND | LOGIN_FIELDS]}, service=EXT)
vector("ext-network-denylist", 2, "response", structure(u32(3), u32(1), Ref(u32(1) + u32(1) + u32(0))),
       {"State": 3, "ElementCount": 1, "Entries": [{"Mcc": 1, "Mnc": 1, "DenylistType": 0}]}, service=EXT)
ATTACH = structure(u32(1), u32(2), u32(3), *LOGIN)
ATTACH_FIELDS = {"IpType": 1, "Roaming": 2, "Source": 3} | LOGIN_FIELDS
vector("ext-lte-attach-configuration-set", 3, "set", structure(u32(1), u32(1), Ref(ATTACH)),
       {"Operation": 1, "ConfigurationCount": 1, "Configurations": [ATTACH_FIELDS]}, service=EXT)
vector("ext-lte-attach-configuration", 3, "response", structure(u32(2), Ref(ATTACH), Ref(ATTACH)),
       {"ConfigurationCount": 2, "Configurations": [ATTACH_FIELDS, ATTACH_FIELDS]}, service=EXT)
vector("ext-lte-attach-info", 4, "notify", structure(u32(1), u32(3), *LOGIN),
       {"LteAttachState": 1, "IpType": 3} | LOGIN_FIELDS, service=EXT)
vector("ext-lte-attach-info-v3", 4, "response", structure(u32(0), u32(27), u32(3), *LOGIN),
       {"LteAttachState": 0, "NwError": 27, "IpType": 3} | LOGIN_FIELDS, 3, EXT, "NwError inserted")
vector("ext-sys-caps", 5, "response", u32(1) + u32(2) + u32(1) + u64(0x0102030405060708),
       {"NumberOfExecutors": 1, "NumberOfSlots": 2, "Concurrency": 1, "ModemId": 0x0102030405060708}, service=EXT,
       note="ModemId at offset 12")
CAPS = {"DeviceType": 1, "CellularClass": 1, "VoiceClass": 1, "SimClass": 2, "DataClass": 0x60, "SmsCaps": 3,
        "ControlCaps": 0x21}
INFO = ("", "490154203237518", "FW 1.2", "Model")
INFO_FIELDS = dict(zip(("CustomDataClass", "DeviceId", "FirmwareInfo", "HardwareInfo"), INFO))
vector("ext-device-caps", 6, "response", structure(*map(u32, CAPS.values()), u32(8), *map(text, INFO), u32(1)),
       CAPS | {"MaxSessions": 8} | INFO_FIELDS | {"ExecutorIndex": 1}, service=EXT)
vector("ext-device-caps-v3", 6, "response",
       b"".join(map(u32, CAPS.values())) + u64(2) + u32(8) + u32(1) + u32(0x40) + tlv(11, u16(1) + u16(3) + u16(20))
       + tlv(11, u16(78)) + b"".join(tlv(10, utf16(s)) for s in INFO),
       CAPS | {"DataSubclass": 2, "MaxSessions": 8, "ExecutorIndex": 1, "WcdmaBandClass": 0x40,
               "LteBandClass": [1, 3, 20], "NrBandClass": [78]} | INFO_FIELDS, 3, EXT, "DataSubclass is a u64")
vector("ext-slot-mappings", 7, "set", structure(u32(2), Ref(u32(1)), Ref(u32(0))),
       {"MapCount": 2, "SlotMap": [{"Slot": 1}, {"Slot": 0}]}, service=EXT)
words("ext-slot-info-query", 8, "query", {"SlotIndex": 1}, service=EXT)
words("ext-slot-info", 8, "notify", {"SlotIndex": 1, "State": 7}, service=EXT)
vector("ext-pco", 9, "response", u32(1) + u32(3) + u32(1) + b"\x80\x21\x0a",
       {"SessionId": 1, "PcoDataSize": 3, "PcoDataType": 1, "PcoDataBuffer": "80210a"}, service=EXT)
words("ext-device-reset", 10, "set", {}, service=EXT)
MAXIMA = {f"Max{t}Count": n for n, t in enumerate(("Gsm", "Umts", "Tdscdma", "Lte", "Cdma"))}
words("ext-base-stations-query", 11, "query", MAXIMA, service=EXT)
words("ext-base-stations-query-v3", 11, "query", MAXIMA | {"MaxNrCount": 9}, 3, EXT)


def i32(n):
    return struct.pack("<i", n)


def cell(fields):
    parts = []
    for name, value in fields.items():
        if isinstance(value, str):
            parts.append(text(value))
        elif name in ("Nci", "TimingAdvance64"):
            parts.append(u64(value))
        else:
            parts.append(i32(value) if value < 0 else u32(value))
    return structure(*parts)


def cells(*elements):
    return Ref(u32(len(elements)) + b"".join(map(cell, elements)) if elements else b"")


def named(fields):
    return {name.replace("64", ""): value for name, value in fields.items()}


GSM = {"ProviderId": "00101", "LocationAreaCode": 1, "CellId": 2, "TimingAdvance": 3, "Arfcn": 4, "BaseStationId": 5,
       "RxLevel": 6}
UMTS = {"ProviderId": "001", "LocationAreaCode": 1, "CellId": 2, "FrequencyInfoUl": 3, "FrequencyInfoDl": 4,
        "FrequencyInfoNt": 0xFFFFFFFF, "Uarfcn": 6, "PrimaryScramblingCode": 7, "Rscp": -90, "Ecno": -10, "PathLoss": 9}
TDSCDMA = {"ProviderId": "", "LocationAreaCode": 1, "CellId": 2, "Uarfcn": 3, "CellParameterId": 4, "TimingAdvance": 5,
           "Rscp": -80, "PathLoss": 7}
LTE = {"ProviderId": "00101", "CellId": 1, "Earfcn": 2, "PhysicalCellId": 3, "Tac": 4, "Rsrp": -95, "Rsrq": -11,
       "TimingAdvance": 5}


def without(fields, *names):
    return {name: value for name, value in fields.items() if name not in names}


GSM_N = without(GSM, "TimingAdvance")
UMTS_N = without(UMTS, "FrequencyInfoUl", "FrequencyInfoDl", "FrequencyInfoNt")
TDSCDMA_N = without(TDSCDMA, "")
LTE_N = [without(LTE, "TimingAdvance"), without(LTE, "TimingAdvance") | {"ProviderId": "1"}]
CDMA = {"ServingCellFlag": 1, "Nid": 2, "Sid": 3, "BaseStationId": 4, "BaseLatitude": 5, "BaseLongitude": 6, "RefPn": 7,
        "GpsSeconds": 8, "PilotStrength": 9}
NR = {"ProviderId": "00101", "Nci": 1 << 35, "PhysicalCellId": 2, "Nrarfcn": 3, "Tac": 4, "Rsrp": 5, "Rsrq": 6, "Sinr": 7,
      "TimingAdvance64": 0xFFFFFFFFFFFFFFFF}
NR_N = {"SystemSubType": 2, "ProviderId": "00101", "CellId": "abc", "PhysicalCellId": 1, "Tac": 2, "Rsrp": 3, "Rsrq": 4,
        "Sinr": 5}
SERVING = (Ref(cell(GSM)), Ref(cell(UMTS)), Ref(cell(TDSCDMA)), Ref(cell(LTE)))
NEARBY = (cells(GSM_N), cells(UMTS_N), cells(TDSCDMA_N), cells(*LTE_N), cells(CDMA))
FOUND = {"GsmServingCell": GSM, "UmtsServingCell": UMTS, "TdscdmaServingCell": TDSCDMA, "LteServingCell": LTE,
         "GsmNeighboringCells": [GSM_N], "UmtsNeighboringCells": [UMTS_N], "TdscdmaNeighboringCells": [TDSCDMA_N],
         "LteNeighboringCells": LTE_N, "CdmaCells": [CDMA]}
vector("ext-base-stations", 11, "response", structure(u32(0x20), *SERVING, *NEARBY), {"SystemType": 0x20} | FOUND,
       service=EXT, note="elements of different sizes end to end")
vector("ext-base-stations-none", 11, "response", u32(0) + bytes(9 * 8),
       {"SystemType": 0} | {name: None if "Serving" in name else [] for name in FOUND}, service=EXT)
vector("ext-base-stations-v3", 11, "response", structure(u32(0x40), u32(2), *SERVING, *NEARBY, cells(NR), cells(NR_N)),
       {"SystemType": 0x40, "SystemSubType": 2} | FOUND | {"NrServingCells": [named(NR)], "NrNeighborCells": [NR_N]}, 3,
       EXT)
words("ext-location-info", 12, "notify", {"LocationAreaCode": 1, "TrackingAreaCode": 0xFFFFFFFF, "CellId": 3}, service=EXT)
vector("ext-pin-query", 14, "query", structure(u32(1), Ref(b"\xa0\0\0\0\x87")), {"Version": 1, "AppId": "a000000087"},
       service=EXT)
vector("ext-pin-set", 14, "set", structure(u32(2), u32(0), text("1234"), text(""), Ref(b"\xa0\0")),
       {"PinType": 2, "PinOperation": 0, "Pin": "1234", "NewPin": "", "AppId": "a000"}, service=EXT)
words("ext-pin", 14, "response", {"PinType": 2, "PinState": 0, "RemainingAttempts": 3}, service=EXT)
IES = {"UnnamedIes": [{"type": 3, "data": "01"}]}
vector("ext-modem-configuration", 16, "notify", u32(2) + tlv(10, utf16("Test")) + tlv(3, b"\1"),
       {"ConfigurationStatus": 2, "ConfigurationName": "Test"} | IES, 3, EXT)
vector("ext-registration-parameters", 17, "set", u32(1) + u32(2) + u32(1) + u32(0) + u32(1) + tlv(3, b"\1"),
       {"MicoMode": 1, "DrxCycle": 2, "LadnInfo": 1, "DefaultPduActivationHint": 0, "ReRegisterIfNeeded": True} | IES, 3,
       EXT)
vector("ext-network-params", 18, "response", u32(0xFFFFFFFF) + u32(2) + tlv(3, b"\1"),
       {"MicoIndication": 0xFFFFFFFF, "DrxParams": 2} | IES, 3, EXT)
vector("ext-wake-reason", 19, "response",
       u32(1) + u32(0) + tlv(16, uid(BASIC) + u32(11) + u32(28) + u32(4) + b"\1\2\3\4"),
       {"WakeType": 1, "SessionId": 0,
        "WakeTlv": [{"type": 16, "data": BASIC.replace("-", "") + "0b0000001c0000000400000001020304"}]}, 3, EXT)
vector("version", 15, "query", u16(0x0100) + u16(0x0300), {"Version": 0x0100, "ExtendedVersion": 0x0300}, service=EXT)

vector("ext-modem-logging", 13, "set", u32(1) + u32(64) + u32(3000) + u32(2),
       {"Version": 1, "MaxSegmentSize": 64, "MaxFlushTime": 3000, "LevelConfig": 2}, service=EXT)
words("ext-modem-logging-query", 13, "query", {}, service=EXT)

PHONEBOOK = "4bf38476-1e6a-41db-b1d8-bed289c25bdb"
words("phonebook-configuration-query", 1, "query", {}, service=PHONEBOOK)
words("phonebook-configuration", 1, "notify",
      {"State": 1, "NumberOfEntries": 250, "UsedEntries": 2, "MaxNumberLength": 20, "MaxName": 18}, service=PHONEBOOK)
words("phonebook-read-query", 2, "query", {"FilterFlag": 1, "FilterMessageIndex": 7}, service=PHONEBOOK)
PERSON = structure(u32(7), text("+15550100"), text("Zoë 😀"))
NOBODY = structure(u32(9), text(""), text(""))
vector("phonebook-read", 2, "response", structure(u32(2), Ref(PERSON), Ref(NOBODY)),
       {"EntryCount": 2, "Entries": [{"EntryIndex": 7, "Number": "+15550100", "Name": "Zoë 😀"},
                                     {"EntryIndex": 9, "Number": "", "Name": ""}]}, service=PHONEBOOK)
words("phonebook-delete-set", 3, "set", {"FilterFlag": 0, "FilterMessageIndex": 0}, service=PHONEBOOK)
words("phonebook-delete", 3, "response", {}, service=PHONEBOOK)
vector("phonebook-write-set", 4, "set", structure(u32(1), u32(3), text("+15550100"), text("A")),
       {"SaveFlag": 1, "SaveIndex": 3, "Number": "+15550100", "Name": "A"}, service=PHONEBOOK)
words("phonebook-write", 4, "response", {}, service=PHONEBOOK)

DSS = "c08a26dd-7718-4382-8482-6e0d583c4d0e"
vector("dss-connect-set", 1, "set", uid(PHONEBOOK) + u32(3) + u32(1),
       {"DeviceServiceId": PHONEBOOK, "DssSessionId": 3, "DssLinkState": 1}, service=DSS)
words("dss-connect", 1, "response", {}, service=DSS)

STK = "d8f20131-fcb5-4e17-8602-d6ed3816164c"
BITS = bytes(range(32))
words("stk-pac-query", 1, "query", {}, service=STK)
vector("stk-pac-set", 1, "set", BITS, {"PacHostControl": BITS.hex()}, service=STK)
vector("stk-pac", 1, "response", bytes(range(256)), {"PacSupport": bytes(range(256)).hex()}, service=STK)
vector("stk-pac-notify", 1, "notify", u32(1) + b"\xd0\x03\x81\x01\x01", {"PacType": 1, "DataBuffer": "d003810101"},
       service=STK, note="unpadded")
vector("stk-terminal-response-set", 2, "set", u32(5) + b"\x81\3\1\x21\0", {"Response": "8103012100"}, service=STK,
       note="the size stands inline")
vector("stk-terminal-response", 2, "response", structure(Ref(b"\x91\x0f"), u32(0x9000)),
       {"ResultData": "910f", "StatusWords": 0x9000}, service=STK, note="the reference stands first")
words("stk-envelope-query", 3, "query", {}, service=STK)
vector("stk-envelope-set", 3, "set", b"\xd3\x07\x82\x02\x01\x81\x90\x01\x01", {"Data": "d30782020181900101"}, service=STK)
vector("stk-envelope", 3, "response", BITS, {"EnvelopeSupport": BITS.hex()}, service=STK)

AUTH = "1d2b5ff7-0aa1-48b2-aa52-50f15767174e"
RAND, AUTN, RES, IK, CK = (bytes(range(n, n + 16)) for n in (0, 16, 32, 48, 64))
AUTS = bytes(range(80, 94))
KEYS = {"Res": RES.hex(), "ResLen": 8, "IntegratingKey": IK.hex(), "CipheringKey": CK.hex(), "Auts": AUTS.hex()}
vector("auth-aka-query", 1, "query", RAND + AUTN, {"Rand": RAND.hex(), "Autn": AUTN.hex()}, service=AUTH)
vector("auth-akap-query", 2, "query", structure(RAND, AUTN, text("WLAN")),
       {"Rand": RAND.hex(), "Autn": AUTN.hex(), "NetworkName": "WLAN"}, service=AUTH)
for cid, name in [(1, "aka"), (2, "akap")]:
    vector(f"auth-{name}", cid, "response", RES + u32(8) + IK + CK + AUTS, KEYS, service=AUTH,
           note="14 bytes at the end, unpadded")
vector("auth-sim-query", 3, "query", RAND + AUTN + RES + u32(3),
       {"Rand1": RAND.hex(), "Rand2": AUTN.hex(), "Rand3": RES.hex(), "N": 3}, service=AUTH)
vector("auth-sim", 3, "response", u32(1) + u64(2 << 40) + u32(3) + u64(4) + u32(5) + u64(6) + u32(2),
       {"Sres1": 1, "Kc1": 2 << 40, "Sres2": 3, "Kc2": 4, "Sres3": 5, "Kc3": 6, "N": 2}, service=AUTH,
       note="u64 follow without alignment")

SAR = "68223d04-9f6c-4e0f-822d-28441fb72340"
words("sar-config-query", 1, "query", {}, service=SAR)
ANTENNAS = (u32(2), Ref(u32(0xFFFFFFFF) + u32(1)), Ref(u32(2) + u32(3)))
ANTENNA_FIELDS = {"ConfigStatesCount": 2, "ConfigStates": [{"AntennaIndex": 0xFFFFFFFF, "BackoffIndex": 1},
                                                           {"AntennaIndex": 2, "BackoffIndex": 3}]}
vector("sar-config-set", 1, "set", structure(u32(1), u32(1), *ANTENNAS), {"Mode": 1, "BackoffState": 1} | ANTENNA_FIELDS,
       service=SAR)
vector("sar-config", 1, "response", structure(u32(0), u32(1), u32(1), *ANTENNAS),
       {"Mode": 0, "BackoffState": 1, "WifiIntegration": 1} | ANTENNA_FIELDS, service=SAR)
words("sar-transmission-query", 2, "query", {}, service=SAR)
words("sar-transmission-set", 2, "set", {"ChannelNotification": 1, "HysteresisTimer": 5}, service=SAR)
words("sar-transmission", 2, "notify", {"ChannelNotification": 1, "TransmissionStatus": 0, "HysteresisTimer": 5},
      service=SAR)
FIRMWARE = "e9f7dea2-feaf-4009-93ce-90a3694103b6"
words("firmware-id-query", 1, "query", {}, service=FIRMWARE)
vector("firmware-id", 1, "response", uid(INTERNET), {"FirmwareId": INTERNET}, service=FIRMWARE)
for cid, name in [(1, "host-shutdown"), (2, "host-pre-shutdown")]:
    words(name, cid, "set", {}, service="883b7c26-985f-43fa-9804-27d7fb80959c")
VOICE = "8d8b9eba-37be-449b-8f1e-61cb034a702e"
words("nitz-query", 10, "query", {}, service=VOICE)
words("nitz", 10, "notify", {"Year": 2026, "Month": 2, "Day": 28, "Hour": 23, "Minute": 59, "Second": 58,
                             "TimeZoneOffsetMinutes": 0xFFFFFFC4, "DaylightSavingTimeOffsetMinutes": 0xFFFFFFFF,
                             "DataClass": 0x20}, service=VOICE, note="west of Greenwich")

QMI = "d1a30bc2-f97a-6e43-bf65-c7e24fb0f0d3"
vector("qmi", 1, "notify", b"\1\x0c\0\x80\0\0\1\1\0\0\0\0\0", {"Qmux": "010c008000000101" + "00" * 5}, service=QMI,
       note="unpadded")
QDU = "6427015f-579d-48f5-8c54-f43ed1e76f83"
words("qdu-session-query", 1, "query", {}, service=QDU)
words("qdu-session-set", 1, "set", {"SessionAction": 1, "SessionType": 1}, service=QDU)
words("qdu-session", 1, "response",
      {"CurrentSessionType": 1, "CurrentSessionStatus": 2, "LastSessionType": 0, "LastSessionResult": 1,
       "LastSessionErrorOffset": 24, "LastSessionErrorSize": 0}, service=QDU)
words("qdu-file-open-set", 2, "set", {"FileType": 0, "FileSize": 123456}, service=QDU)
words("qdu-file-open", 2, "response", {"MaxTransferSize": 4048, "MaxWindowSize": 1}, service=QDU)
vector("qdu-file-write-set", 3, "set", b"\x7fELF\0", {"DataBuffer": "7f454c4600"}, service=QDU, note="unpadded")
words("qdu-file-write", 3, "response", {}, service=QDU)
vector("qdu-reboot-set", 4, "set", u16(17), {"RebootType": 17}, service=QDU, note="two bytes")
words("qdu-reboot", 4, "response", {}, service=QDU)
vector("qdu-version-set", 7, "set", u16(256), {"VersionType": 256}, service=QDU, note="two bytes")
vector("qdu-version", 7, "response", structure(u32(256), text("EM120R")), {"VersionId": 256, "Version": "EM120R"},
       service=QDU)
vector("qdu-command-set", 8, "set", u32(0) + b"AT\r", {"CommandType": 0, "CommandString": "41540d"}, service=QDU)
vector("qdu-command", 8, "response", u32(1) + b"ERROR", {"CommandResponseStatus": 1, "CommandResponseString": "4552524f52"},
       service=QDU)

ATDS = "5967bdcc-7fd2-49a2-9f5c-b2e70e527db3"
for cid, name in [(1, "signal"), (2, "location"), (3, "operators"), (4, "rat"), (9, "register-state")]:
    words(f"atds-{name}-query", cid, "query", {}, service=ATDS)
words("atds-signal", 1, "response", {"Rssi": 20, "ErrorRate": 99, "Rscp": 255, "Ecno": 255, "Rsrq": 20, "Rsrp": 50,
                                     "Rssnr": 30}, service=ATDS)
words("atds-location", 2, "response", {"Lac": 1, "Tac": 2, "CellId": 3}, service=ATDS)
vector("atds-operators", 3, "response",
       structure(u32(1), Ref(structure(text("001010"), u32(8), text("Test"), u32(7), u32(20), u32(99)))),
       {"ProvidersCount": 1, "Providers": [{"ProviderId": "001010", "ProviderState": 8, "ProviderName": "Test",
                                            "PlmnMode": 7, "Rssi": 20, "ErrorRate": 99}]}, service=ATDS)
words("atds-rat", 4, "set", {"Mode": 3}, service=ATDS)
vector("atds-register-state", 9, "response", structure(*STATE), REGISTER, service=ATDS)

words("intel-reboot", 1, "set", {}, service="0ed374cb-f835-4474-bc11-3b3fd76f5641")
words("intel-reboot-v2", 1, "set", {"BootMode": 1, "Timeout": 30}, 2, "0ed374cb-f835-4474-bc11-3b3fd76f5641")
THERMAL = "fdc22af2-f441-4d46-af8d-259fcdde4635"
words("intel-rfim-query", 9, "query", {}, service=THERMAL)
words("intel-rfim-set", 9, "set", {"ActivationState": True}, service=THERMAL)
CARRIER = {"ServingCellInfo": 1, "CenterFrequency": 1842500000, "Bandwidth": 20000000, "Rsrp": 95, "Rsrq": 11, "Sinr": 9,
           "Rssi": 65, "ConnectionStatus": True}
vector("intel-rfim", 9, "notify",
       structure(u32(1), Ref(b"".join(u64(v) if k == "CenterFrequency" else u32(v) for k, v in CARRIER.items()))),
       {"RfimFrequencyValuesCount": 1, "RfimFrequencyValues": [CARRIER]}, service=THERMAL,
       note="the u64 follows without alignment")
FCC = "f85d46ef-ab26-4081-9868-4d183c0a3aec"
words("intel-fcc-query", 1, "query", {}, service=FCC)
words("intel-fcc-set", 1, "set", {"ResponsePresent": True, "Response": 0xDEADBEEF}, service=FCC)
words("intel-fcc", 1, "response", {"ChallengePresent": False, "Challenge": 0}, service=FCC)
TRACE = "4ada4962-b988-46c3-87a7-97f20f994abb"
words("intel-trace-query", 8, "query", {"TraceCmd": 1}, service=TRACE)
words("intel-trace-set", 8, "set", {"TraceCmd": 2, "TraceValue": 3}, service=TRACE)
words("intel-trace", 8, "response", {"TraceCmd": 2, "Result": 0}, service=TRACE)
for name, operation, uuid_ in [("intel", "set", "da138c64-6515-4893-92b2-a1e1ca7c81ca"),
                               ("fibocom", "set", "ffffffff-abca-4b11-a4e2-f2fc87f94488"),
                               ("compal", "query", "a2a32a97-cab1-4f57-9ae1-451c74dda957")]:
    vector(f"{name}-at-command", 1, operation, b"AT+CGMR\r", {"CommandReq": b"AT+CGMR\r".hex()}, service=uuid_)
    vector(f"{name}-at-answer", 1, "response", b"\r\nOK\r\n", {"CommandResp": b"\r\nOK\r\n".hex()}, service=uuid_,
           note="unpadded")
QUECTEL = "11223344-5566-7788-99aa-bbccddeeff11"
words("quectel-radio-query", 1, "query", {}, service=QUECTEL)
words("quectel-radio", 1, "response", {"RadioState": 4}, service=QUECTEL)
GOOGLE = "3e1e92cf-c53d-4f14-85d0-a86ad9e12245"
words("carrier-lock-query", 1, "query", {}, service=GOOGLE)
vector("carrier-lock-set", 1, "set", u32(3) + b"\1\2\3", {"Data": "010203"}, service=GOOGLE, note="the size stands inline")
words("carrier-lock", 1, "notify",
      {"CarrierLockStatus": 1, "CarrierLockModemState": 2, "CarrierLockCause": 1}, service=GOOGLE)

PROXY = "838cf7fb-8d0d-4d7f-871e-d71dbefbb39b"
vector("proxy-configuration", 1, "set", structure(text("/dev/cdc-wdm0"), u32(30)),
       {"DevicePath": "/dev/cdc-wdm0", "Timeout": 30}, service=PROXY, note="as mbimcli 1.28.2 writes it")
words("proxy-configured", 1, "response", {}, service=PROXY)
vector("proxy-version", 2, "notify", u16(0x0100) + u16(0x0300), {"Version": 0x0100, "ExtendedVersion": 0x0300},
       service=PROXY)
UICC = "c2f6588e-f037-4bc9-8665-f4d44bd09367"


for cid, name in [(1, "atr"), (5, "terminal-capability"), (6, "reset"), (7, "application-list")]:
    words(f"uicc-{name}-query", cid, "query", {}, service=UICC)
vector("uicc-atr", 1, "response", structure(Sized(b"\x3b\x9f\x96")), {"Atr": "3b9f96"}, service=UICC,
       note="size first, then offset")
vector("uicc-open-channel-set", 2, "set", structure(Sized(b"\xa0\0\0\0\x87"), u32(4), u32(1)),
       {"AppId": "a000000087", "SelectP2Arg": 4, "ChannelGroup": 1}, service=UICC)
vector("uicc-open-channel", 2, "response", structure(b"\x90\0\0\0", u32(1), Sized(b"\x62\x03")),
       {"Status": "90000000", "Channel": 1, "Response": "6203"}, service=UICC)
words("uicc-close-channel-set", 3, "set", {"Channel": 0, "ChannelGroup": 1}, service=UICC)
vector("uicc-close-channel", 3, "response", b"\x90\0\0\0", {"Status": "90000000"}, service=UICC)
vector("uicc-apdu-set", 4, "set", structure(u32(1), u32(0), u32(1), Sized(b"\0\xa4\0\x0c\2\x6f\x07")),
       {"Channel": 1, "SecureMessaging": 0, "ClassByteType": 1, "Command": "00a4000c026f07"}, service=UICC)
vector("uicc-apdu", 4, "response", structure(b"\x90\0\0\0", Sized(b"")), {"Status": "90000000", "Response": ""},
       service=UICC)
vector("uicc-terminal-capability", 5, "set", structure(u32(2), Ref(b"\x83\1\7"), Ref(b"\x81\1")),
       {"TerminalCapabilityCount": 2, "TerminalCapability": ["830107", "8101"]}, service=UICC,
       note="the pair's size is the length")
words("uicc-reset-set", 6, "set", {"PassThroughAction": 1}, service=UICC)
words("uicc-reset", 6, "response", {"PassThroughStatus": 0}, service=UICC)

# With MBIMEx 4.0 each names a slot: behind the rest of the fixed part, but first in front of a list.
for cid, name in [(1, "atr"), (5, "terminal-capability"), (6, "reset")]:
    words(f"uicc-{name}-query-v4", cid, "query", {"SlotId": 1}, 4, service=UICC)
vector("uicc-open-channel-set-v4", 2, "set", structure(Sized(b"\xa0\0\0\0\x87"), u32(4), u32(1), u32(1)),
       {"AppId": "a000000087", "SelectP2Arg": 4, "ChannelGroup": 1, "SlotId": 1}, 4, service=UICC)
words("uicc-close-channel-set-v4", 3, "set", {"Channel": 0, "ChannelGroup": 1, "SlotId": 1}, 4, service=UICC)
vector("uicc-apdu-set-v4", 4, "set", structure(u32(1), u32(0), u32(1), Sized(b"\0\xa4\0\x0c\2\x6f\x07"), u32(1)),
       {"Channel": 1, "SecureMessaging": 0, "ClassByteType": 1, "Command": "00a4000c026f07", "SlotId": 1}, 4, service=UICC)
vector("uicc-terminal-capability-v4", 5, "set", structure(u32(1), u32(2), Ref(b"\x83\1\7"), Ref(b"\x81\1")),
       {"SlotId": 1, "TerminalCapabilityCount": 2, "TerminalCapability": ["830107", "8101"]}, 4, service=UICC,
       note="the offsets count from the slot")
words("uicc-reset-set-v4", 6, "set", {"PassThroughAction": 1, "SlotId": 1}, 4, service=UICC)
APP = structure(u32(4), Ref(b"\xa0\0\0\0\x87"), Ref("USIM ✓".encode()), u32(2), Ref(b"\x01\x81"))
vector("uicc-application-list", 7, "response", structure(u32(1), u32(1), u32(0), u32(len(APP)), Ref(APP)),
       {"Version": 1, "ApplicationCount": 1, "ActiveApplicationIndex": 0, "ApplicationListSizeBytes": len(APP),
        "Applications": [{"ApplicationType": 4, "ApplicationId": "a000000087", "ApplicationName": "USIM ✓",
                          "PinKeyReferenceCount": 2, "PinKeyReferences": "0181"}]}, service=UICC)
FILE = (u32(1), Ref(b"\xa0\0\0\0\x87"), Ref(b"\x7f\xff\x6f\x3e"))
FILE_FIELDS = {"Version": 1, "ApplicationId": "a000000087", "FilePath": "7fff6f3e"}
vector("uicc-file-status-query", 8, "query", structure(*FILE), FILE_FIELDS, service=UICC)
words("uicc-file-status", 8, "response",
      {"Version": 1, "StatusWord1": 0x90, "StatusWord2": 0, "FileAccessibility": 2, "FileType": 1, "FileStructure": 1,
       "FileItemCount": 1, "FileItemSize": 10, "AccessConditionRead": 2, "AccessConditionUpdate": 19,
       "AccessConditionActivate": 19, "AccessConditionDeactivate": 18}, service=UICC)
vector("uicc-read-binary", 9, "query", structure(*FILE, u32(0), u32(10), text(""), Ref(b"")),
       FILE_FIELDS | {"ReadOffset": 0, "ReadSize": 10, "LocalPin": "", "Data": ""}, service=UICC)
vector("uicc-read-record", 10, "query", structure(*FILE, u32(2), text("1234"), Ref(b"\1")),
       FILE_FIELDS | {"RecordNumber": 2, "LocalPin": "1234", "Data": "01"}, service=UICC)
for cid, name in [(9, "binary"), (10, "record")]:
    vector(f"uicc-{name}", cid, "response", structure(u32(1), u32(0x90), u32(0), Ref(b"\xff\xfe\xfd")),
           {"Version": 1, "StatusWord1": 0x90, "StatusWord2": 0, "Data": "fffefd"}, service=UICC)

USSD = "e550a0c8-5e82-479e-82f7-10abf4c3351f"
# Without a service centre address; SUBMIT or DELIVER of "hello" to and from +15550100.
SUBMIT = bytes.fromhex("00" "0100" "089151551000" "0000" "05e8329bfd06")
DELIVER = bytes.fromhex("00" "04" "089151551000" "0000" "62111231136400" "05e8329bfd06")


for cid, name in [(1, "configuration"), (5, "message-store-status")]:
    words(f"sms-{name}-query", cid, "query", {}, service=SMS)
vector("sms-configuration-set", 1, "set", structure(u32(0), text("+15550199")),
       {"Format": 0, "ScAddress": "+15550199"}, service=SMS)
vector("sms-configuration", 1, "response", structure(u32(1), u32(0), u32(30), u32(0), text("+15550199")),
       {"SmsStorageState": 1, "Format": 0, "MaxMessages": 30, "CdmaShortMessageSize": 0, "ScAddress": "+15550199"},
       service=SMS)
words("sms-read-query", 2, "query", {"Format": 0, "Flag": 1, "MessageIndex": 7}, service=SMS)
vector("sms-read", 2, "response",
       structure(u32(0), u32(2), Ref(structure(u32(1), u32(0), Ref(DELIVER))), Ref(structure(u32(2), u32(3), Ref(SUBMIT)))),
       {"Messages": {"Format": 0, "PduMessages": [
           {"MessageIndex": 1, "MessageStatus": 0, "PduData": DELIVER.hex()},
           {"MessageIndex": 2, "MessageStatus": 3, "PduData": SUBMIT.hex()}]}}, service=SMS)
vector("sms-read-none", 2, "response", u32(0) + u32(0), {"Messages": {"Format": 0, "PduMessages": []}}, service=SMS)
CDMA_TEXT = {"Encoding": 2, "Language": 1, "Address": "+15550100"}
vector("sms-read-cdma", 2, "notify",
       structure(u32(1), u32(1), Ref(structure(u32(0), u32(0), text("+15550100"), text("26/11/21,13:31:46+00"), u32(2),
                                               u32(1), Ref(b"hello"), u32(5)))),
       {"Messages": {"Format": 1, "CdmaMessages": [
           {"MessageIndex": 0, "MessageStatus": 0, "Timestamp": "26/11/21,13:31:46+00", "EncodedMessage": b"hello".hex(),
            "EncodedMessageSizeInCharacters": 5} | CDMA_TEXT]}}, service=SMS)
vector("sms-read-unknown-format", 2, "response", u32(9), {"Messages": {"Format": 9}}, service=SMS,
       note="a format without a layout keeps its number")
vector("sms-send-set", 3, "set", u32(0) + structure(Ref(SUBMIT)),
       {"Message": {"Format": 0, "PduMessage": {"PduData": SUBMIT.hex()}}}, service=SMS,
       note="the offset counts from the record, behind Format")
vector("sms-send-set-cdma", 3, "set", u32(1) + structure(u32(2), u32(1), text("+15550100"), Ref(b"hello"), u32(5)),
       {"Message": {"Format": 1, "CdmaMessage": {"EncodedMessage": b"hello".hex(), "EncodedMessageSizeInCharacters": 5}
                    | CDMA_TEXT}}, service=SMS)
words("sms-send", 3, "response", {"MessageReference": 255}, service=SMS)
words("sms-delete-set", 4, "set", {"Flag": 1, "MessageIndex": 3}, service=SMS)
words("sms-delete", 4, "response", {}, service=SMS)
words("sms-message-store-status", 5, "notify", {"Flag": 2, "MessageIndex": 12}, service=SMS)
vector("ussd-set", 1, "set", structure(u32(0), u32(0x0F), Ref(bytes.fromhex("aa180c3602"))),
       {"Action": 0, "DataCodingScheme": 15, "Payload": "aa180c3602"}, service=USSD, note="*100# in packed GSM 7 bit")
vector("ussd-cancel", 1, "set", structure(u32(2), u32(0), Ref(b"")),
       {"Action": 2, "DataCodingScheme": 0, "Payload": ""}, service=USSD)
vector("ussd", 1, "response", structure(u32(1), u32(0), u32(0x48), Ref("Menü?".encode("utf-16-be"))),
       {"Response": 1, "SessionState": 0, "DataCodingScheme": 0x48, "Payload": "Menü?".encode("utf-16-be").hex()},
       service=USSD)

about = "Information buffers assembled by assemble.py from the layouts, without mbim-proto. `canonical`: encoding the decoded fields gives the same bytes."
out = pathlib.Path(__file__).with_name("mbim-bodies.json")
lines = ",\n".join("  " + json.dumps(v, ensure_ascii=False) for v in VECTORS)
out.write_text(f'{{\n "about": {json.dumps(about)},\n "vectors": [\n{lines}\n ]\n}}\n')
