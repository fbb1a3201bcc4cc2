//! The `r3gan` binary.

fn main() -> std::process::ExitCode {
    r3gan::cli::main()
}
