//! `cargo xtask serve`: the page, on this machine, rebuilt when its files change.

use crate::run::{finish, readable, say, start};
use crate::site;
use anyhow::{Result, bail};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub struct Args {
    /// The port to serve at [default: 8080, or the next that is free]
    #[arg(long)]
    port: Option<u16>,
    /// Open the page in a browser
    #[arg(long)]
    open: bool,
}

const PORT: u16 = 8080;

pub fn serve(args: &Args) -> Result<()> {
    let begun = Instant::now();
    site::prepare()?;
    let port = match args.port {
        Some(port) if !is_free(port) => bail!("port {port} is taken: leave --port out, or name another"),
        Some(port) => port,
        None => free_port()?,
    };
    // In a folder of its own: this page reloads itself, and tests may be reading the other.
    let mut trunk = site::trunk(&["serve", "--dist=target/serve", "--address=127.0.0.1"])?;
    trunk.args([
        "--disable-address-lookup=true",
        &format!("--port={port}"),
        &format!("--open={}", args.open),
    ]);
    let (text, mut child) = start(&mut trunk)?;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if let Some(status) = child.try_wait()? {
            return finish(&text, status);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    say(format!("the page is at http://localhost:{port}/ after {}", readable(begun.elapsed())));
    say(
        "a change in www/ or pkg/ rebuilds and reloads it; Rust is built again by `cargo xtask wasm`; Ctrl-C ends",
    );
    finish(&text, child.wait()?)
}

fn free_port() -> Result<u16> {
    match (PORT..PORT + 100).find(|port| is_free(*port)) {
        Some(port) => Ok(port),
        None => bail!("ports {PORT} to {} are taken: name a free one with --port", PORT + 99),
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_something_listens_at_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free(port));
        drop(listener);
        assert!(is_free(port));
    }
}
