"""How much hypothesis tries: `MOSAIC_LAWS=thorough` looks for longer, `snapshot` shrinks nothing."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("quick", max_examples=25, deadline=None, suppress_health_check=SLOW)
settings.register_profile("thorough", max_examples=600, deadline=None, suppress_health_check=SLOW)
settings.register_profile("snapshot", settings.get_profile("quick"), max_examples=150, phases=[Phase.generate])
settings.load_profile(os.environ.get("MOSAIC_LAWS", "quick"))
