"""``python -m constellm.cli``."""

import sys

from . import main

sys.exit(main())
