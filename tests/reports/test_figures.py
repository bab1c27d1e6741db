from phonehome.reports import figures


def test_a_code_that_names_no_country_is_shown_as_it_is():
    assert figures.country_text("ZZ") == "ZZ"
    assert figures.country_text("SG") == "Singapore (SG)"
    assert figures.country_text(None) == "no country known"
