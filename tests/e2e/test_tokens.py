"""Token counts: --tokenizer, and what a run learns of them for the next."""

import os

import support

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "data", "tokenizer")
MEANS = "select counted_input_mean, reported_input_mean, input_samples, output_mean, output_samples from progress"


class Tokens(support.Case):
    def test_what_was_learnt_is_kept_for_the_job(self):
        simulator = self.simulate()
        self.prompts(20)
        self.run_file(simulator)
        counted, reported, samples, output, outputs = self.query(MEANS)[0]
        self.assertGreater(counted, 7, "the frame of a message and a text of two words")
        self.assertGreater(reported, 0)
        self.assertGreater(output, 0)
        self.assertEqual((samples, outputs), (20, 20))
        self.prompts(30)
        self.run_file(simulator)
        self.assertEqual(self.query(MEANS)[0][2::2], (30, 30))
        self.run_file(simulator, "--rerun", "changed", model="another")
        self.assertEqual(self.query(MEANS)[0][2::2], (30, 30), "anew, of the 30 items that ran again")

    def test_a_tokenizer_file_counts(self):
        simulator = self.simulate()
        self.write_items("items.jsonl", [{"id": "a", "prompt": "thethethe 12345"}])
        self.run_file(simulator, "--tokenizer", os.path.join(DATA, "llama.json"))
        exact = self.query(MEANS)[0][0]
        self.run_file(simulator, "--db", "estimated.db")
        estimated = self.query(MEANS, database=self.path("estimated.db"))[0][0]
        self.assertNotEqual(exact, estimated, "a small vocabulary needs more tokens")

    def test_a_tokenizer_that_cannot_be_used_is_refused_before_anything_is_sent(self):
        simulator = self.simulate()
        self.prompts(1)
        self.write("t5.json", '{"model":{"type":"Unigram","vocab":[]}}')
        for name, message in (
            ("t5.json", "t5.json: model: Unigram is not supported, only byte-level BPE is"),
            ("items.jsonl", "items.jsonl: "),
            ("missing.tiktoken", "missing.tiktoken"),
        ):
            with self.subTest(name):
                done = self.run_file(simulator, "--tokenizer", name, code=2)
                self.assertIn(message, done.stderr)
        self.assertEqual(simulator.count(), 0)


if __name__ == "__main__":
    support.main()
