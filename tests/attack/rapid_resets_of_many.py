"""Forty connections with 1,200 resets each: none of them sends much by itself, and all wait for their turns."""

import flood
import rapid_resets

if __name__ == "__main__":
    flood.main(lambda: [b"".join(rapid_resets.parts())[: 9 + 1_200 * rapid_resets.PAIR_BYTES]], connections=40, must_be_cut=False)
