//! Shows the OpenAPI document in a browser: three small files of our own, the
//! document, and a viewer whose files lie in a directory. Nothing is fetched from
//! elsewhere, nothing can be written.

pub mod config;

pub mod app;

pub mod pages;
