"""The tables that the analyzer hands on: the contract of its door, and of every export.

Times are UTC, counts are bytes. The four byte counts are never mixed:

- `wire_bytes`: original length of the frame, less what the capture tool added
- `ip_bytes`: IP total length (IPv6: payload length + 40)
- `payload_bytes`: TCP or UDP payload from the length fields; of other protocols what stands
  behind the IP header, of ICMP only what an echo carries
- `unique_bytes`: payload without retransmission

The tables stand in groups, a module each, by the stage that makes them:

- `flows`: flows seen from the phone, and what they said
- `places`: where addresses are, and how far that holds
- `phases`: when the phone was active or idle, and what was uploaded then
- `behaviour`: what an app does over time
- `content`: what bytes hold
- `findings`: what a reader should know beside the totals
- `accounts`: the ledger, and what could not be believed
- `claims`: verdicts on claims
- `comparison`: two sides or a series of versions, compared
- `result`: all tables of one run, and the answer in numbers
"""

from phonehome.analyzer.tables.accounts import LEDGER_OUTCOMES, Ledger, Oddities
from phonehome.analyzer.tables.behaviour import Beacons, Bursts, Rates, Stretches
from phonehome.analyzer.tables.claims import DOUBTS, RESULTS, Claims
from phonehome.analyzer.tables.comparison import (
    ALL_STATES,
    CANNOT_TELL,
    CHANGES,
    DIMENSIONS,
    FINDINGS,
    JUDGED,
    SIDES,
    TESTS,
    TRAITS,
    UNTOLD,
    Changes,
    ComparedDatabases,
    Exposures,
    Repetitions,
    Traits,
    Versions,
)
from phonehome.analyzer.tables.content import Decryption, Identifiers, Tokens
from phonehome.analyzer.tables.findings import Amplification, Completeness, Findings
from phonehome.analyzer.tables.flows import (
    ENCRYPTION,
    PARTIES,
    ROLES,
    Flows,
    Mmtls,
    Names,
    Phones,
    Requests,
    ServerCertificates,
)
from phonehome.analyzer.tables.phases import (
    STATES,
    Clocks,
    FlowPhases,
    Moments,
    Phases,
    Uploads,
    UploadsOverTime,
)
from phonehome.analyzer.tables.places import VERDICTS, Places, RoundTrips
from phonehome.analyzer.tables.result import Analysis, Summary
from phonehome.captures.words import IDENTIFIER_KINDS

__all__ = [
    "ALL_STATES",
    "CANNOT_TELL",
    "CHANGES",
    "DIMENSIONS",
    "DOUBTS",
    "ENCRYPTION",
    "FINDINGS",
    "IDENTIFIER_KINDS",
    "JUDGED",
    "LEDGER_OUTCOMES",
    "PARTIES",
    "RESULTS",
    "ROLES",
    "SIDES",
    "STATES",
    "TESTS",
    "TRAITS",
    "UNTOLD",
    "VERDICTS",
    "Amplification",
    "Analysis",
    "Beacons",
    "Bursts",
    "Changes",
    "Claims",
    "Clocks",
    "ComparedDatabases",
    "Completeness",
    "Decryption",
    "Exposures",
    "Findings",
    "FlowPhases",
    "Flows",
    "Identifiers",
    "Ledger",
    "Mmtls",
    "Moments",
    "Names",
    "Oddities",
    "Phases",
    "Phones",
    "Places",
    "Rates",
    "Repetitions",
    "Requests",
    "RoundTrips",
    "ServerCertificates",
    "Stretches",
    "Summary",
    "Tokens",
    "Traits",
    "Uploads",
    "UploadsOverTime",
    "Versions",
]
