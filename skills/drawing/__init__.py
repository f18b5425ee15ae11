"""Drawing for covers and screens: a palette, scenes in flat layers, letters."""
