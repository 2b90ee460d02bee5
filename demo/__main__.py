"""What `make run` calls: `python -m demo`, with PORT, DATA_DIR and CONFIG in the environment."""

import os
import sys

from demo.launch import main

if __name__ == "__main__":
    sys.exit(main(os.environ))
