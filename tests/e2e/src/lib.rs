//! Holds only tests: the real thing through the real edge.
