#!/usr/bin/env python3
"""Traces from CSV files: what ferrite-trace makes of good ones, and what it says of others.

usage: bench/eviction/csv_trace_test.py FERRITE_TRACE
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop(1)


class CsvTraceTest(unittest.TestCase):
    def replay(self, text):
        """The trace's own line and {policy: misses}, or what it says of the file."""
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "trace.csv"
            path.write_text(text, encoding="utf-8")
            command = [PROGRAM, "--trace", path, "--memory", "2MiB", "--warm-up", "0"]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            return done.stderr
        trace, *results = map(json.loads, done.stdout.splitlines())
        return trace, {each["policy"]: each["misses"] for each in results}

    def test_counts_the_first_request_of_each_key_as_a_miss(self):
        trace, misses = self.replay("1,a,100\n2,b,200\n3,a,100\n4,a,100\n")
        self.assertEqual((trace["requests"], trace["keys"], trace["value_bytes"]), (4, 2, 300))
        self.assertEqual(misses, dict.fromkeys(("ferrite", "lru", "fifo", "belady"), 2))

    def test_skips_a_header_and_empty_lines_and_minds_no_blanks(self):
        trace, _ = self.replay("time,key,size\r\n\r\n1, a , 100 \r\n2, a ,100\r\n")
        self.assertEqual((trace["requests"], trace["keys"]), (2, 1))

    def test_evicts_what_does_not_fit(self):
        lines = [f"{i},key{i % 300},10000" for i in range(1200)]  # 3 MB in turn
        _, misses = self.replay("\n".join(lines))
        self.assertEqual(misses["lru"], 1200)
        self.assertLess(misses["belady"], misses["ferrite"])
        self.assertLess(misses["ferrite"], 1200)

    def test_names_the_line_and_what_is_wrong(self):
        for text, said in (
            ("1,a,100\n2,b\n", "line 2: has 2 columns and not the three of time,key,size"),
            ("1,a,100,7,get,3,0\n", "line 1: has 7 columns"),
            ("1,a,many\n2,b,many\n", "line 2: the size is not a whole number of bytes"),
            ("1,a,1.5\n", "line 1: the size is not a whole number of bytes"),
            ("1,a,5000000000\n", "line 1: the size is 4 GiB or more"),
            ("1,,5\n", "line 1: the key is empty"),
            (f"1,{'k' * 5000},5\n", "line 1: the key has 5000 B, more than 4096"),
            ("time,key,size\n", "holds no request"),
        ):
            with self.subTest(text[:30]):
                self.assertIn(said, self.replay(text))

    def test_asks_for_a_trace(self):
        done = subprocess.run([PROGRAM], check=False, capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("say which --trace", done.stderr)


if __name__ == "__main__":
    unittest.main()
