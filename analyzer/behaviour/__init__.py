"""What an app does over time: rates, bursts, beacons, and quiet stretches."""
