"""All the other attacks at once."""

import pathlib
import subprocess
import sys

import flood
import measured_attack

HERE = pathlib.Path(__file__)
FILLS = ("max-streams", "subscriber-total-bytes", "max-subscribers", "history-bytes")


def main():
    names = [name for name in measured_attack.attacks() if name != HERE.stem]
    running = [subprocess.Popen([sys.executable, "-B", HERE.with_name(f"{name}.py"), *sys.argv[1:]], stdout=subprocess.DEVNULL) for name in names]
    for program in running:
        program.wait()
    # What each of them finds when it is alone does not hold beside the others: who is turned away cannot attack.
    if not flood.serves(sys.argv[1], None):
        sys.exit("the server does not answer any more")


if __name__ == "__main__":
    main()
