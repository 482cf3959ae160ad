"""How much hypothesis tries: `MOSAIC_LAWS=thorough` looks for longer."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("quick", max_examples=25, deadline=None, suppress_health_check=SLOW)
settings.register_profile("thorough", max_examples=600, deadline=None, suppress_health_check=SLOW)
settings.load_profile(os.environ.get("MOSAIC_LAWS", "quick"))
