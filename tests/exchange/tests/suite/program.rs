//! The program: one line with its URL, commands on standard input.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::support::{Client, End};

/// Ends the program with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[tokio::test]
async fn prints_its_url_and_obeys() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_exchange"));
    command.args(["--seed", "3", "--production"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut program = Program(command.spawn().unwrap());
    let mut lines = BufReader::new(program.0.stdout.take().unwrap()).lines();
    let url = lines.next().unwrap().unwrap();
    let mut client = Client::try_connect(&url).await.unwrap();
    assert_eq!(client.call("public/test", json!({})).await["testnet"], false);
    assert!(client.result("local/stats", json!({})).await.is_object());
    writeln!(program.0.stdin.as_mut().unwrap(), "close 4002 bye").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "ok");
    assert_eq!(client.end().await, End::Frame(4002, "bye".into()));
}

#[test]
fn explains_itself() {
    let help = Command::new(env!("CARGO_BIN_EXE_exchange")).arg("--help").output().unwrap();
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(help.status.success() && text.contains("--chaos") && text.contains("maintenance"));
    let version = Command::new(env!("CARGO_BIN_EXE_exchange")).arg("-V").output().unwrap();
    assert_eq!(version.stdout, format!("exchange {}\n", env!("CARGO_PKG_VERSION")).as_bytes());
    let wrong = Command::new(env!("CARGO_BIN_EXE_exchange")).arg("--nonsense").output().unwrap();
    assert!(!wrong.status.success());
}
