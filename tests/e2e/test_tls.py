"""Certificates are verified, always."""

import shutil
import ssl
import subprocess
import unittest

import support


@unittest.skipUnless(shutil.which("openssl"), "no openssl command to make certificates with")
class Tls(support.Case):
    def certificate(self, name, subject_names="DNS:localhost,IP:127.0.0.1", days="2"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", name + ".key", "-out", name + ".pem", "-days", days, "-subj", "/CN=test",
                        "-addext", "subjectAltName=" + subject_names], cwd=self.dir, check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path(name + ".pem"), self.path(name + ".key"))
        return context

    def https(self, *names):
        return self.server(support.answer, self.certificate("server", *names))

    def refused(self, server, *arguments):
        self.prompts(2)
        process = self.run_file(server, "--max-retries", "0", "--max-error-rate", "100%", *arguments,
                                env={"LLMBATCH_API_KEY": "sk-test"})
        self.assertNotEqual(process.code, 0)
        self.assertEqual(server.count(), 0, "the request was sent to a stranger")
        self.assertNotIn("succeeded", self.state_counts())
        told = process.stderr + str(self.query("select error_message from attempts"))
        self.assertRegex(told.lower(), "certificate|ssl")

    def test_unknown_certificate(self):
        self.refused(self.https())

    def test_certificate_of_another_host(self):
        self.refused(self.https("DNS:elsewhere.example"), "--cacert", "server.pem")

    def test_trusted_by_flag(self):
        server = self.https()
        self.prompts(2)
        self.run_file(server, "--cacert", "server.pem", code=0, env={"LLMBATCH_API_KEY": "sk-test"})
        self.assertEqual(server.requests[0].headers["authorization"], "Bearer sk-test")
        self.assert_all_succeeded(2)

    def test_trusted_by_the_environment(self):
        for variable in ("SSL_CERT_FILE", "CURL_CA_BUNDLE"):
            with self.subTest(variable):
                server = self.server(support.answer, self.certificate("server"))
                self.prompts(2)
                self.run_file(server, "--db", variable + ".db", env={variable: self.path("server.pem")}, code=0)
                self.assertEqual(server.count(), 2)


if __name__ == "__main__":
    support.main()
