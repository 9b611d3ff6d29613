//! Holds only tests: the rules of the house.
