from phonehome.reports.charts import style


def test_a_code_that_names_no_country_is_shown_as_it_is():
    assert style.country_text("ZZ") == "ZZ"
    assert style.country_text("SG") == "Singapore (SG)"
    assert style.country_text(None) == "no country known"
