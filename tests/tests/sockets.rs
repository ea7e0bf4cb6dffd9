//! A program that was granted a listener serves a client: `sockets/listener.wat`.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use kiln_targets::{Target, target};
use kiln_tests::execute::Execution;
use kiln_tests::{expect, kiln, trial};
use libtest_mimic::Failed;

/// How long the client tries to connect: emulated systems take their time to begin.
const PATIENCE: Duration = Duration::from_secs(120);

fn serve(target: &'static Target) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let address = free_address()?;
    let module = kiln_tests::project().join("tests/sockets/listener.wat");
    let flags = ["--listen".to_owned(), address.to_string(), "--dir".to_owned(), ".".to_owned()];
    let program = kiln::build(scratch.path(), &module, target, &flags)?;
    let execution = Execution::plain(target, &program, scratch.path());
    let client = thread::spawn(move || talk(address));
    let executed = execution.run()?;
    expect::same("stderr", b"", &executed.stderr)?;
    expect::same("exit code", b"0", executed.code.to_string().as_bytes())?;
    let heard = client.join().map_err(|_| "the client panicked")??;
    expect::same("what came back", b"pingpong", &heard)
}

/// An address that nobody uses at the moment.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Waits to be greeted, sends twice, and gives all that comes back.
fn talk(address: SocketAddr) -> io::Result<Vec<u8>> {
    let begin = Instant::now();
    let mut connection = loop {
        match TcpStream::connect(address) {
            Ok(connection) => break connection,
            Err(error) if begin.elapsed() > PATIENCE => return Err(error),
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    };
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_nodelay(true)?;
    // The program looks for input before it greets.
    connection.read_exact(&mut [0; 5])?;
    connection.write_all(b"ping")?;
    thread::sleep(Duration::from_millis(300));
    connection.write_all(b"pong")?;
    let mut heard = Vec::new();
    connection.read_to_end(&mut heard)?;
    Ok(heard)
}

/// Two programs cannot have the same address.
fn taken(target: &'static Target) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = holder.local_addr()?;
    let module = kiln_tests::project().join("tests/sockets/listener.wat");
    let flags = ["--listen".to_owned(), address.to_string()];
    let program = kiln::build(scratch.path(), &module, target, &flags)?;
    let execution = Execution::plain(target, &program, scratch.path());
    let executed = execution.run()?;
    let message = format!("kiln: cannot listen at `{address}`: the address is in use");
    let said = String::from_utf8_lossy(&executed.stderr);
    expect::same("stderr", message.as_bytes(), said.trim_end().as_bytes())?;
    expect::same("exit code", b"125", executed.code.to_string().as_bytes())
}

fn main() {
    let mut trials = Vec::new();
    for target in target::ALL {
        trials.push(trial::on_target("serve", target, || serve(target)));
        trials.push(trial::on_target("taken", target, || taken(target)));
    }
    trial::conclude(trials)
}
