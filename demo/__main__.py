"""Entry point of `make run`: `python -m demo`, PORT, DATA_DIR and CONFIG from the environment."""

import os
import sys

from demo.launch import main

if __name__ == "__main__":
    sys.exit(main(os.environ))
