from cryptography import x509

from benchmarks.certificates import ISSUER_KEY, certificate


def test_a_certificate_names_its_host_and_is_signed_by_the_issuer():
    made = x509.load_der_x509_certificate(certificate("img7.kolamo3.com.cn"))
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["img7.kolamo3.com.cn"]
    ISSUER_KEY.public_key().verify(made.signature, made.tbs_certificate_bytes)


def test_a_certificate_has_the_same_bytes_each_time():
    first = certificate("one.example")
    certificate.cache_clear()
    assert certificate("one.example") == first
    assert certificate("two.example") != first
