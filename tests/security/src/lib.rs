//! Holds only tests: what strangers try, against the whole platform.
