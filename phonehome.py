"""What an app sends, to whom, where, and when: the library's one name.

    import phonehome

    analysis = phonehome.analyze("phone.pcap", timelines="phone.csv")
    phonehome.write(analysis, "result")

The rooms stand beside this file, in the repository and in an installed package alike, and are
found as `phonehome.captures`, `phonehome.geo`, `phonehome.analyzer` and `phonehome.reports`.
"""

from pathlib import Path

__path__ = [str(Path(__file__).parent)]
