//! The program as people and scripts meet it: real processes against the real embedded endpoint.

mod adopt;
mod apply;
mod bad_input;
mod bad_state;
mod crash;
mod drift;
mod examples;
mod faults;
mod fmt;
mod help;
mod history;
mod json;
mod life;
mod lock;
mod main_path;
mod pace;
mod plan;
mod plan_file;
mod rehearse;
mod resolve;
mod sandbox;
mod secrets;
mod settings;
mod state;
mod streams;
