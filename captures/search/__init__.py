"""Finds what is known of a phone and its account in the bytes that it sends, however encoded.

`identifiers` says what is known, `spellings` and `forms` how apps write it, `patterns` and
`scanning` find all of that at once; `unfolding` and `protobuf` open what holds other bytes,
`looking` goes through the layers of one content, `searching` through those of a capture.
"""
