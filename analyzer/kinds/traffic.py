# Held by tests/analyzer/kinds/test_kinds.py: each kind is said there.
"""What the phone's flows show beside where they went: what others could read, or not."""

from phonehome.analyzer.kinds.statement import Kind

PLAIN = Kind(
    "plain_text",
    2,
    "{bytes} bytes ({share} %) were uploaded in plain text (HTTP), to {names}: whoever carried "
    "these packets could read and change them.",
)
RESOLVERS = Kind(
    "encrypted_resolvers",
    4,
    "{connections} to resolvers that encrypt ({names}): which names were asked for there cannot be "
    "seen, so destinations may lack a name in this capture.",
)
ECH = Kind(
    "hello_encrypted",
    4,
    "In {connections} the client offered Encrypted Client Hello, or a decoy that looks like it: "
    "where a server took it, the server name in the clear is a cover.",
)
COVERED = Kind(
    "name_covered",
    4,
    "{connections} with only a cover ({names}) for a server name: it names no destination.",
)
ANNOUNCED = Kind(
    "hello_encryption_announced",
    4,
    "Answers of DNS announce Encrypted Client Hello for {count} ({names}): the server name that a "
    "client sends there may be a cover.",
    count="sentence",
)
GUESSED = Kind(
    "name_guessed",
    3,
    "{bytes} bytes ({share} %) were uploaded to addresses that bore several names, of which the "
    "flow itself says none: the name given is the likeliest, and the others are listed.",
)
UNANSWERED = Kind(
    "name_not_looked_up",
    4,
    "{connections} with a name for which no look-up in the capture gave that address ({names}): it "
    "was looked up before, elsewhere or encrypted, or the name is a front.",
)
DECEPTIVE = Kind("name_deceptive", 2, "The name {name} ({shown}) {warning}.")
OWN_ENCRYPTION = Kind(
    "own_encryption",
    4,
    "{bytes} bytes in {records} of MMTLS, WeChat's own encryption: without its keys their content "
    "cannot be read, their number and length can.",
)
ONE_CLOCK = Kind(
    "phone_clock_once",
    4,
    "The phone's clock, as {hellos} of MMTLS states, differs from the capture's by {low} to {high} "
    "s (to the second).",
)
CLOCK = Kind(
    "phone_clock",
    4,
    "The phone's clock, as {hellos} of MMTLS state, differs from the capture's by {low} to {high} "
    "s (to the second).",
)
