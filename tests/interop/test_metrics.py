"""Metrics: each login of real clients is counted once, where it belongs, and nobody's name is in there."""
import re
import socket
import subprocess
import urllib.error

import bed
import scrapes
from clients import plain, smtp_auth, smtp_scram

USER = "ann@example.org"
METRICS = bed.CHECKOUT / "deploy/metrics"


class WithMetrics(bed.OwnBed):
    MORE = {}

    def setUp(self):
        self.ports = {"sasld": bed.free_port(), "adapter": bed.free_port()}
        tables = {name: f'[metrics]\nlisten = "127.0.0.1:{port}"\n' for name, port in self.ports.items()}
        self.OPTIONS = {"extra_server": tables["sasld"], "extra_adapter": tables["adapter"], **self.MORE}
        super().setUp()

    def text(self, program):
        return scrapes.scrape(self.ports[program])

    def counts(self):
        return {program: scrapes.Counts(self.text(program)) for program in self.ports}

    def grown(self, before, program):
        return scrapes.Counts(self.text(program)).since(before[program])

    def smtp(self, password, user=USER):
        return smtp_auth(self.bed.port, "PLAIN " + plain(user, password))

    def promtool(self, *arguments, given=None):
        done = subprocess.run([scrapes.promtool(bed.arguments.peers), *arguments], input=given, text=True,
                              capture_output=True, timeout=bed.PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout


class Logins(WithMetrics):
    MORE = {"throttle": 'peer_failures = 5\naccount_failures = 0\nwindow = "5m"\nexempt = []'}

    def setUp(self):
        super().setUp()
        self.bed.start()
        self.password = self.bed.add_user(USER)
        self.wrong = self.bed.secret()
        # The adapter asks for mechanisms and Postfix greets as they start; no login is among it.
        self.assertEqual(smtp_auth(self.bed.port, "PLAIN", "*"), 501)

    def test_each_login_is_counted_once_where_it_belongs(self):
        def exchanges(outcome, **more):
            # One session, one smtpd, one connection at most: Postfix keeps it or makes another.
            return {"sasld_adapter_exchanges_begun_total": 1, f"sasld_adapter_exchanges_total {outcome}": 1, **more}

        def check(login, code, sasld, adapter):
            before = self.counts()
            self.assertEqual(login(), code)
            self.assertEqual(self.grown(before, "sasld"), sasld)
            grown = self.grown(before, "adapter")
            self.assertIn(grown.pop("sasld_adapter_connections_total", 0), (0, 1))
            self.assertEqual(grown, adapter)

        check(lambda: self.smtp(self.password), 235, {
            "sasld_logins_total PLAIN granted": 1, "sasld_step_duration_seconds_count granted": 1,
            "sasld_password_checks_total hash": 1}, exchanges("granted"))
        check(lambda: self.smtp(self.password), 235, {
            "sasld_logins_total PLAIN granted": 1, "sasld_step_duration_seconds_count granted": 1,
            "sasld_password_checks_total cache": 1}, exchanges("granted"))
        # Without an initial response: an empty challenge goes before the one of the mechanism.
        check(lambda: smtp_scram(self.bed.port, USER, self.password), 235, {
            "sasld_logins_total SCRAM-SHA-256 granted": 1, "sasld_step_duration_seconds_count granted": 1,
            "sasld_step_duration_seconds_count challenge": 2}, exchanges("granted"))
        for name, reason in (USER, "bad-credentials"), ("stranger@example.org", "unknown-user"):
            check(lambda name=name: self.smtp(self.wrong, name), 535, {
                "sasld_logins_total PLAIN refused": 1, f"sasld_login_refusals_total {reason}": 1,
                "sasld_step_duration_seconds_count refused": 1, "sasld_password_checks_total hash": 1},
                exchanges("refused"))
            check(lambda name=name: smtp_scram(self.bed.port, name, self.wrong), 535, {
                "sasld_logins_total SCRAM-SHA-256 refused": 1, f"sasld_login_refusals_total {reason}": 1,
                "sasld_step_duration_seconds_count refused": 1, "sasld_step_duration_seconds_count challenge": 2},
                exchanges("refused"))
        self.assertEqual(self.smtp(self.wrong), 535)  # the fifth
        check(lambda: self.smtp(self.password), 454, {
            "sasld_logins_total PLAIN temporary": 1, "sasld_login_temporary_failures_total peer-throttled": 1,
            "sasld_step_duration_seconds_count temporary": 1},
            exchanges("temporary", **{"sasld_adapter_temporary_failures_total sasld": 1}))

        for program in self.ports:
            with self.subTest(program):
                self.check_text(program)

    def check_text(self, program):
        text = self.text(program)
        self.promtool("check", "metrics", given=text)
        for what in "ann@", "stranger", "example.org", "192.0.2", "127.0.0.1":
            self.assertNotIn(what, text)
        self.assertFalse(self.bed.secrets.found_in(text.encode()))

    def test_sasld_away_and_back(self):
        gauge = lambda name: scrapes.gauges(self.text("adapter"))[name][()]
        self.assertEqual(gauge("sasld_adapter_servers_connected"), 1)
        self.assertEqual(scrapes.gauges(self.text("sasld"))["sasld_streams"][()], 1)
        self.bed.stop_sasld()
        bed.wait_until("the adapter knows", lambda: gauge("sasld_adapter_servers_connected") == 0)
        before = scrapes.Counts(self.text("adapter"))
        self.assertEqual(self.smtp(self.password), 454)
        grown = scrapes.Counts(self.text("adapter")).since(before)
        self.assertEqual(grown.pop("sasld_adapter_exchanges_begun_total"), 1)
        self.assertEqual(grown.pop("sasld_adapter_exchanges_total temporary"), 1)
        self.assertEqual(grown.pop("sasld_adapter_temporary_failures_total no-server"), 1)
        self.assertLessEqual(set(grown), {"sasld_adapter_connections_total"})
        with self.assertRaises(urllib.error.URLError):
            self.text("sasld")
        self.bed.start_sasld()
        bed.wait_until("the adapter is connected", lambda: gauge("sasld_adapter_servers_connected") == 1)
        self.assertEqual(self.smtp(self.password), 235)
        values = scrapes.Counts(self.text("sasld")).values
        self.assertEqual(values["sasld_logins_total PLAIN granted"], 1, "it began anew")

    def test_scrapers_that_hang_cost_no_login(self):
        hanging = [socket.create_connection(("127.0.0.1", port)) for port in self.ports.values() for _ in range(20)]
        for one in hanging:
            one.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
        for _ in range(20):
            self.assertEqual(self.smtp(self.password), 235)
        for one in hanging:
            one.close()
        for program in self.ports:
            bed.wait_until("others may scrape again", lambda program=program: self.may_scrape(program))

    def may_scrape(self, program):
        try:
            return "sasld_" in self.text(program)
        except ConnectionError:  # it has not seen yet that they have gone
            return False


class Description(WithMetrics):
    def test_every_metric_is_described_and_no_other(self):
        self.bed.start_sasld()
        self.bed.start_adapter()
        there = {name for program in self.ports for name in scrapes.families(self.text(program))}
        readme = (METRICS / "README.md").read_text()
        told = set(re.findall(r"^\| `(sasld_[a-z_]+)", readme, re.M))
        self.assertEqual(told, there)
        used = set(re.findall(r"\bsasld_[a-z_]+\b", (METRICS / "alerts.yaml").read_text()))
        known = there | {f"{name}_{part}" for name in there for part in ("bucket", "count", "sum")}
        self.assertLessEqual(used, known)

    def test_alerts_are_rules_that_fire(self):
        self.promtool("check", "rules", METRICS / "alerts.yaml")
        self.promtool("test", "rules", bed.CHECKOUT / "tests/interop/alerts_test.yaml")
        alerts = set(re.findall(r"^ *- alert: (\w+)", (METRICS / "alerts.yaml").read_text(), re.M))
        tried = set(re.findall(r"alertname=\"(\w+)\"", (bed.CHECKOUT / "tests/interop/alerts_test.yaml").read_text()))
        self.assertEqual(tried, alerts)

    def test_sample_of_prometheus(self):
        self.promtool("check", "config", METRICS / "prometheus.yaml")


class Off(bed.OwnBed):
    def test_nothing_listens_unless_it_is_told_to(self):
        self.bed.start_sasld()
        self.bed.start_adapter()
        for process in self.bed.sasld, self.bed.adapter:
            self.assertEqual(scrapes.listening_tcp(process.pid), 0)


class On(WithMetrics):
    def test_one_socket_listens(self):
        self.bed.start_sasld()
        self.bed.start_adapter()
        for process in self.bed.sasld, self.bed.adapter:
            self.assertEqual(scrapes.listening_tcp(process.pid), 1)

    def test_address_in_use_costs_no_login_and_is_taken_later(self):
        taken = socket.create_server(("127.0.0.1", self.ports["sasld"]))
        self.bed.start_sasld()
        self.bed.start_adapter()
        self.bed.add_user(USER)
        self.assertIn(f"metrics: cannot listen at 127.0.0.1:{self.ports['sasld']}: Address already in use",
                      self.bed.log("sasld"))
        taken.close()
        bed.wait_until("it is tried again", lambda: "metrics are served at" in self.bed.log("sasld"))
        self.assertIn("sasld_logins_total", self.text("sasld"))


if __name__ == "__main__":
    bed.main()
