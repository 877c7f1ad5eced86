"""IODEF, IDEA0, X-ARF, lists and mails of the sample data, written from the files; see ``expectations``."""

from __future__ import annotations

from protocol.markings import Tlp
from tests.intake.formats.expectations import Stored

_NO_TIME = ""

# An incident without a restriction is private (RFC 7970, RFC 5070); "default" is what was agreed.
IODEF = [
    # two addresses, a network, one of IPv6, the target; ports 1337 and 80; a user agent
    Stored("iodef2_xml/GuidanceDraft_DDoS.xml", "iodef-2", "csirt.example.com:189701",
           "DDoS Traffic Seen", Tlp.AMBER, "2013-02-05T01:15:45+00:00", 8, 0, 0, 4),
    # hashes in base64 of hexadecimal texts and in plain; 7 registry keys; port 8080
    Stored("iodef2_xml/GuidanceDraft_Malware.xml", "iodef-2", "csirt.example.com:189234",
           "Malware and related indicators identified", Tlp.RED,
           "2013-03-07T16:14:56.757+05:30", 20, 5, 0, 5, 2),
    Stored("iodef2_xml/GuidanceDraft_MalwareDeliverURL.xml", "iodef-2",
           "csirt.example.com:189801", "Malware and related indicators", Tlp.RED,
           "2012-12-05T12:20:00+00:00", 1, 0, 0, 1),
    Stored("iodef2_xml/RFC7970_MinimalIODEF.xml", "iodef-2", "csirt.example.com:492382",
           "IODEF csirt.example.com:492382", Tlp.RED, "2015-07-18T09:00:00-05:00", 0),
    # the incident is green, its related activity private; a hash of x's is none
    Stored("iodef2_json/draft14-long-example.json", "iodef-2-json", "csirt.example.com:897923",
           "Summarizes the Indicators of Compromise for the Orange Giraffe campaign of the "
           "Aggressive Butterfly crime gang.", Tlp.RED, "2015-10-02T11:18:00-05:00", 11, 0, 5, 1),
    Stored("iodef2_json/draft14-section7-1.json", "iodef-2-json", "csirt.example.com:492382",
           "IODEF csirt.example.com:492382", Tlp.RED, "2015-07-18T09:00:00-05:00", 0),
    Stored("iodef1_xml/iodeflib_example.xml", "iodef-1", "csirt.example.com:189493",
           "Host sending out Code Red probes", Tlp.RED, "2001-09-13T23:19:24+00:00",
           3, 0, 0, 1, reports=4),
    Stored("iodef1_xml/rfc5070_botnet_reporting.xml", "iodef-1", "csirt.example.com:908711",
           "Large bot-net", Tlp.RED, "2006-06-08T05:44:53-05:00", 4, 0, 1, 3),
    Stored("iodef1_xml/rfc5070_worm_codered.xml", "iodef-1", "csirt.example.com:189493",
           "Host sending out Code Red probes", Tlp.RED, "2001-09-13T23:19:24+00:00", 3, 0, 0, 1),
]  # fmt: skip

IDEA = [
    # beside host names and addresses: 3 networks, 8 MAC addresses, 8 of mail, 2 ports
    Stored("idea0/csirtmu_testidea1.json", "idea0", "2E4A3926-B1B9-41E3-89AE-B6B474EB0A54",
           "EPMAPPER exploitation attempt", Tlp.AMBER, "2014-03-22T10:12:31Z", 37, 0, 8, 8),
    # its host names are sentences; 8 ports, a network, a MAC address, an address of mail
    Stored("idea0/csirtmu_longidmef.json", "idea0", "123d45", "Phishing", Tlp.AMBER,
           "2000-03-09 16:08:19.248233", 20, 0, 0, 5),
    Stored("idea0/csirtmu_idea-examples.jsonl", "idea0", "3ad275e3-559a-45c0-8299-6807148ce157",
           "Ping scan", Tlp.AMBER, "2014-03-22T10:12:56Z", 2, 0, 0, 1, reports=6),
]  # fmt: skip

LISTS = [
    # 15 names are 6 aliases, their targets, and the hosts of 10 addresses; 2016-08-18 is the first
    Stored("ioc_csv/sunburst_network_iocs.csv", "csv", "csv-218ab6d321b1ea1b2e78175e7b3f6eac",
           "List of 25 indicators", Tlp.AMBER, "2016-08-18 13:06:00", 25, 0, 15, 10),
    # 57 different hashes, some named twice; 8 file names
    Stored("ioc_csv/unit42_OilRig.csv", "csv", "csv-42a76f564b332aabad0f86885b3cf629",
           "List of 102 indicators", Tlp.AMBER, _NO_TIME, 102, 57, 25, 12),
    # 23 samples by two hashes each, 18 pages, 18 wallets; when they were compiled is no sighting
    Stored("ioc_csv/unit42_samsa.csv", "csv", "csv-a31e69b3e9d7788918b3f500e933d664",
           "List of 82 indicators", Tlp.AMBER, _NO_TIME, 82, 46, 0, 0, 18),
]  # fmt: skip

MAILS = [
    Stored("malformed/mail_bad_subject.eml", "mail", "mail-466b8737e8233cb2afc08700c41880cf",
           "MySurvey.com: You have a survey waiting! 91123105", Tlp.AMBER,
           "2010-12-15T12:21:20-05:00", 2, urls=2),
    Stored("malformed/mail_cant_parse_from.eml", "mail", "7oh6b1$1clhrjk@badger-vip.apple.com",
           "Meet the new MacBook Pro family. Now includes 13-inch.", Tlp.AMBER,
           "2009-06-11T23:25:02-07:00", 0),
    Stored("malformed/mail_encoding_madness.eml", "mail",
           "201009220730.o8M7Urh3018672@aquila.el-example.org",
           "eBay Bid - 2008 Ford Super Duty F-350 DRW King Ranch Crew Cab 4x4 (156) - Stock# XXXX",
           Tlp.AMBER, "2010-09-22T02:30:53-05:00", 0),
    Stored("malformed/mail_multiple_invalid_content_dispositions.eml", "mail",
           "105647271315.NCV17523@x263.net", "Redacted", Tlp.AMBER, _NO_TIME, 0),
    Stored("malformed/mail_weird_to_header.eml", "mail", "20101015032506.28448.qmail@i.tp.host",
           "Mail without a subject", Tlp.AMBER, "2010-10-14T23:25:06-04:00", 0),
]  # fmt: skip
