"""What the columns of a list of indicators hold, by the names that people give them.

Source: issue 5, "CSV and text lists of indicators (with a mapping)". The names are those of public
lists: MISP's CSV export, abuse.ch, research blogs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from protocol.report import IndicatorType

_SEPARATORS = re.compile(r"[^a-z0-9]+")
_EMPTY = {"", "-", "n/a", "na", "none", "null", "nil", "unknown", "nan", "?"}


class Use(Enum):
    """What is done with the cells of a column."""

    INDICATOR = auto()
    TYPE = auto()
    FIRST = auto()
    LAST = auto()
    REPORTED = auto()
    NAME = auto()
    TLP = auto()
    CONFIDENCE = auto()
    REFERENCE = auto()
    TARGET = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column; an indicator without a kind is taken for what it looks like."""

    use: Use
    name: str = ""
    kind: IndicatorType | None = None
    utc: bool = False


_KINDS: dict[IndicatorType | None, str] = {
    IndicatorType.DOMAIN: "domain domains domain_name fqdn fqdns hostname hostnames host_name dns",
    IndicatorType.IP: "ip ips ipv4 ipv6 ip_address ip_addresses ipaddress ipv4_addr ipv6_addr"
    " src_ip dst_ip source_ip dest_ip destination_ip ip_src ip_dst ip_addr srcip dstip",
    IndicatorType.URL: "url urls uri uris full_url",
    IndicatorType.MD5: "md5 md5_hash hash_md5 file_md5 filehash_md5",
    IndicatorType.SHA1: "sha1 sha_1 sha1_hash hash_sha1 file_sha1 filehash_sha1",
    IndicatorType.SHA256: "sha256 sha_256 sha256_hash hash_sha256 file_sha256 filehash_sha256",
    IndicatorType.EMAIL: "email emails e_mail email_address email_src email_dst",
    IndicatorType.PORT: "port ports src_port dst_port source_port dest_port destination_port"
    " srcport dstport",
    IndicatorType.WALLET: "btc bitcoin wallet btc_address bitcoin_address btc_wallet xmr monero",
    IndicatorType.OTHER: "filename file_name filepath file_path mutex registry_key regkey"
    " user_agent sha512 sha_512 imphash ssdeep tlsh ja3 ja3_md5 ja3s jarm asn cidr network",
    None: "indicator indicators ioc iocs observable observables value ioc_value indicator_value"
    " indicator_of_compromise artifact artefact host address c2 c_c cnc c2_server hash hashes"
    " file_hash filehash ip_port dst_ip_port domain_ip hostname_port sample",
}
_OTHER_USES = {
    Use.TYPE: "type indicator_type ioc_type observable_type",
    Use.FIRST: "first_seen firstseen first_observed first_seen_utc date timestamp time datetime"
    " event_time observed seen",
    Use.LAST: "last_seen lastseen last_observed last_seen_utc last_online",
    Use.REPORTED: "reported published created dateadded date_added added_on listingdate listing_date"
    " submission_time",
    Use.NAME: "name malware malware_name associated_malware malware_family malware_printable family"
    " threat threat_name campaign label signature comment comments description notes note"
    " listingreason listing_reason",
    Use.TLP: "tlp",
    Use.CONFIDENCE: "confidence confidence_level",
    Use.REFERENCE: "reference references cve",
    Use.TARGET: "target targets victim",
}
_COLUMNS = {
    name: Column(use=Use.INDICATOR, name=name, kind=kind)
    for kind, names in _KINDS.items()
    for name in names.split()
} | {
    name: Column(use=use, name=name, utc=name.endswith("_utc"))
    for use, names in _OTHER_USES.items()
    for name in names.split()
}
INDICATOR_COLUMNS = ", ".join(
    names.split()[0] for kind, names in _KINDS.items() if kind is not IndicatorType.OTHER
)


def column_of(header: str) -> Column | None:
    """What a column of that name holds, None if it is not known."""
    return _COLUMNS.get(_plain(header))


def kind_of_type(word: str) -> IndicatorType | None:
    """The kind that a cell of a type column names, None if it names none."""
    column = _COLUMNS.get(_plain(word))
    return column.kind if column and column.use is Use.INDICATOR else None


def is_empty(cell: str) -> bool:
    """Whether the cell says that there is nothing."""
    return cell.strip().lower() in _EMPTY


def _plain(name: str) -> str:
    return _SEPARATORS.sub("_", name.lower()).strip("_")
