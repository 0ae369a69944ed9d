"""``python -m ringfence``."""

import sys

from ringfence.cli.main import main

sys.exit(main())
