"""Laws that fail against mutations are not shrunk: that one fails is all that is asked."""

import os

from hypothesis import Phase, settings

if os.environ.get("ROLLBOOK_MUTATION"):
    settings.register_profile("mutation of the sight", phases=(Phase.explicit, Phase.generate))
    settings.load_profile("mutation of the sight")
