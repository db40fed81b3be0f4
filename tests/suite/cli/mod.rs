//! The program as people and scripts meet it: real processes against the real embedded endpoint.

mod adopt;
mod apply;
mod bad_input;
mod bad_state;
mod ci;
mod crash;
mod examples;
mod faults;
mod git;
mod help;
mod life;
mod main_path;
mod pace;
mod plan;
mod plan_file;
mod rehearse;
mod resolve;
mod sandbox;
mod secrets;
mod settings;
mod streams;
