"""Certificates are verified, always."""

import os
import shutil
import socket
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

    def listens(self, port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

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

    # nghttpd serves the file behind a path, to a POST as well, and logs every frame.
    @unittest.skipUnless(shutil.which("nghttpd"), "no nghttpd (package nghttp2-server)")
    def test_http2_carries_many_calls_over_one_connection(self):
        self.certificate("server")
        os.makedirs(self.path("www/v1/chat"))
        with open(self.path("www/v1/chat/completions"), "wb") as file:
            file.write(support.completion())
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with open(self.path("nghttpd.log"), "wb") as log:
            server = subprocess.Popen(["nghttpd", "-v", "-d", "www", "--address=127.0.0.1", str(port), "server.key",
                                       "server.pem"], cwd=self.dir, stdout=log, stderr=log)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        support.wait_for(lambda: self.listens(port), "nghttpd listens")
        self.prompts(60)
        self.call("run", "items.jsonl", "--base-url", "https://127.0.0.1:%d/v1" % port, "--model", "m", "--http2",
                  "--cacert", "server.pem", "--concurrency", "20", code=0)
        self.assert_all_succeeded(60)
        with open(self.path("nghttpd.log"), encoding="utf-8", errors="replace") as file:
            log = file.read()
        self.assertEqual(log.count(":method: POST"), 60)
        self.assertEqual(log.count("negotiated protocol: h2"), 1, "calls wait for the connection instead of opening more")

    def test_http2_is_offered_and_not_insisted_on(self):
        server = self.https()
        self.prompts(5)
        self.run_file(server, "--http2", "--cacert", "server.pem", code=0)
        self.assertEqual(server.count(), 5)
        self.assert_all_succeeded(5)


if __name__ == "__main__":
    support.main()
