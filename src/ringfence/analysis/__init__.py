"""Questions about many ends at once: each is a pure function over the engine, by classes and never pair by pair."""
