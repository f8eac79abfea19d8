//! The program `mbimd-verify`; what it does stands in `verifier`, because `mbimd demo` is one file and has it inside.
#![forbid(unsafe_code)]

#[path = "../verifier.rs"]
mod verifier;

fn main() -> std::process::ExitCode {
    verifier::main()
}
