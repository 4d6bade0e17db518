"""Flags, environment, configuration files and help, through the binary."""

import os

import support


class CommandLine(support.Case):
    def test_help_needs_nothing(self):
        process = self.call("--help", code=0)
        for command in ("run", "status", "export", "simulate", "config"):
            self.assertIn(command, process.stdout)
            self.assertIn("usage: llmbatch " + command, self.call(
                *(["config", "show"] if command == "config" else [command]), "--help", code=0).stdout)
        self.assertEqual(process.stderr, "")

    def test_version(self):
        self.assertRegex(self.call("--version", code=0).stdout, r"^llmbatch \d+\.\d+")

    def test_mistyped_flag(self):
        self.prompts(1)
        process = self.call("run", "items.jsonl", "--modle", "openai/x", code=2)
        self.assertIn("--model", process.stderr)
        self.assertEqual(process.stdout, "")

    def test_mistyped_command(self):
        self.assertIn("run", self.call("rnu", code=2).stderr)

    def test_wrong_values(self):
        simulator = self.simulate()
        self.prompts(1)
        for arguments in (["--rpm", "-5"], ["--rpm", "many"], ["--rpm", "0"], ["--timeout", "soon"],
                          ["--concurrency", "0"], ["--max-error-rate", "300%"], ["--retry", "succeded"],
                          ["--param", "novalue"], ["--temperature", "warm"], ["--prompt", "{{open"],
                          ["--api-key-file", "absent"], ["--prompt-file", "absent"], ["--cacert", "absent"]):
            with self.subTest(arguments):
                if os.path.exists(self.database()):
                    os.unlink(self.database())
                process = self.run_file(simulator, *arguments)
                self.assertEqual(process.code, 2, process.stderr)
                self.assertIn(arguments[0].lstrip("-") if arguments[1] != "absent" else "absent", process.stderr)
        self.assertEqual(simulator.count(), 0)

    def test_refused_run_does_not_adopt_its_job(self):
        simulator = self.simulate()
        self.write("items.jsonl", '{"id":"a","prompt":"x"}\nbroken\n')
        self.run_file(simulator, "--prompt", "{{open", code=2)
        self.run_file(simulator, "--strict", "--temperature", "0.3", code=2)
        self.assertEqual(simulator.count(), 0)
        self.run_file(simulator, code=3)
        self.assertEqual(self.states()["a"], "succeeded")
        self.run_file(simulator, "--rerun", "changed", "--strict", "--temperature", "0.3", code=2)
        self.run_file(simulator, code=3)

    def test_no_model(self):
        self.prompts(1)
        self.assertIn("--model", self.call("run", "items.jsonl", code=2).stderr)

    def test_unknown_provider(self):
        self.prompts(1)
        self.assertIn("openai", self.call("run", "items.jsonl", "--model", "openia/gpt-4o", code=2).stderr)

    def test_flag_beats_environment_beats_file(self):
        self.write("llmbatch.toml", "[run]\nmodel = \"from-file\"\nrpm = 100\n")
        first = self.call("config", "show", code=0).stdout
        self.assertRegex(first, r"from-file.*llmbatch\.toml")
        second = self.call("config", "show", env={"LLMBATCH_MODEL": "from-environment"}, code=0).stdout
        self.assertRegex(second, r"from-environment.*LLMBATCH_MODEL")
        self.assertNotIn("from-file", second)

    def test_settings_from_the_environment_are_used(self):
        simulator = self.simulate()
        self.prompts(2)
        self.call("run", "items.jsonl", env={"LLMBATCH_BASE_URL": simulator.url, "LLMBATCH_MODEL": "m"}, code=0)
        self.assertEqual(simulator.count(), 2)

    def test_config_show_masks_keys(self):
        for variable in ("LLMBATCH_API_KEY", "OPENAI_API_KEY"):
            process = self.call("config", "show", env={variable: "sk-very-secret-value"}, code=0)
            self.assertNotIn("very-secret", process.stdout + process.stderr)

    def test_mistyped_setting_in_a_file(self):
        self.write("llmbatch.toml", "[run]\nmodle = \"x\"\n")
        self.prompts(1)
        process = self.call("run", "items.jsonl", code=2)
        self.assertIn("llmbatch.toml", process.stderr)
        self.assertIn("modle", process.stderr)

    def test_rehearsal_leaves_nothing(self):
        self.prompts(50)
        before = set(os.listdir(self.dir))
        process = self.call("run", "items.jsonl", "--rehearse", code=0)
        self.assertIn("rehears", process.stderr)
        left = {name for name in set(os.listdir(self.dir)) - before if not name.startswith("run.")}
        self.assertEqual(left, set())

    def test_summary_names_database_and_next_command(self):
        simulator = self.simulate()
        self.prompts(3)
        process = self.run_file(simulator, code=0)
        self.assertIn("items.jsonl.llmbatch.db", process.stderr)
        self.assertIn("llmbatch export", process.stderr)
        self.assertEqual(process.stdout, "")

    def test_simulator_prints_its_url_and_ends_on_a_signal(self):
        simulator = self.simulate()
        self.assertRegex(simulator.url, r"^http://127\.0\.0\.1:\d+/v1$")
        simulator.process.send(15)
        self.assertEqual(simulator.process.wait(10), 0)


if __name__ == "__main__":
    support.main()
