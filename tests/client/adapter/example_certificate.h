// A certificate for tests: CN=outer, CN=Ann Example; ann@example.org, x.example.org (a host),
// ann@example.net. Of nobody's authority, and good for a hundred years.
#pragma once

namespace sasld {

inline constexpr char kExampleCertificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIB+TCCAZ+gAwIBAgIUEYnNx57LIANfc/LAM8AgIJRSCdowCgYIKoZIzj0EAwIw\n"
    "MjEKMAgGA1UECgwBeDEOMAwGA1UEAwwFb3V0ZXIxFDASBgNVBAMMC0FubiBFeGFt\n"
    "cGxlMCAXDTI2MTEyNjE5NTEzM1oYDzIxMjYxMTAyMTk1MTMzWjAyMQowCAYDVQQK\n"
    "DAF4MQ4wDAYDVQQDDAVvdXRlcjEUMBIGA1UEAwwLQW5uIEV4YW1wbGUwWTATBgcq\n"
    "hkjOPQIBBggqhkjOPQMBBwNCAATB8JwXXSagYNf4TXuK5O3DItXEbeo+x9PQT8Y/\n"
    "x4fIduZs1boX5hpeO5sj+wizINodb9erbJ5vOVBONjGm4igHo4GQMIGNMB0GA1Ud\n"
    "DgQWBBQAlhHAGlDRrLs48U7H/+IIqP7THDAfBgNVHSMEGDAWgBQAlhHAGlDRrLs4\n"
    "8U7H/+IIqP7THDAPBgNVHRMBAf8EBTADAQH/MDoGA1UdEQQzMDGBD2FubkBleGFt\n"
    "cGxlLm9yZ4INeC5leGFtcGxlLm9yZ4EPYW5uQGV4YW1wbGUubmV0MAoGCCqGSM49\n"
    "BAMCA0gAMEUCIBGyiyVtyU303xDbIPZ88Q/UOLUn40Wiz/1h9z9qWH6FAiEAk9jv\n"
    "B1OfBY2mDpmGRohfJ2fXY2tX3dXoeFT9v3ya/dA=\n"
    "-----END CERTIFICATE-----\n";
// Its SHA-256 fingerprint, of the DER, in hex.
inline constexpr char kExampleFingerprint[] =
    "83e2a5428b54de599b9340847e69bcfb955a5407628ebcfa6a2bf6927d6dac00";

}  // namespace sasld
