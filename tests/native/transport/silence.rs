//! One deadline covers everything up to the open connection, and its error names what was under way.

use std::future::{Future, pending};
use std::time::Duration;

use steadysocket::error::{ConnectError, Disconnect, Ended, Error, Phase};
use steadysocket::platform::native::{Native, Tls};
use steadysocket::{Config, JsonRpc};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::support::*;

const DEADLINE: Duration = Duration::from_millis(300);

/// The phase in which the attempt runs out of time, while the server does this.
async fn times_out(config: Config, server: impl Future<Output = ()>) -> Phase {
    // A CA of its own, so that it runs on a machine without a store too.
    let ca = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert;
    let native = Native::with_tls(Tls::new().ca(ca.pem()).unwrap());
    let connect = steadysocket::connect_with(config.connect_timeout(DEADLINE), JsonRpc::new(), native);
    tokio::select! {
        outcome = soon(connect) => match outcome {
            Err(Error::Connect(Ended::Refused(Disconnect::Connect(ConnectError::Timeout(phase))))) => phase,
            other => panic!("{other:?}"),
        },
        () = server => panic!("the server gave up first"),
    }
}

async fn listening(scheme: &str) -> (TcpListener, Config) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = Config::new(format!("{scheme}://{}", listener.local_addr().unwrap())).unwrap();
    (listener, config)
}

/// Accepts, says this once the request is there, and then one byte now and then that is no end.
async fn says(listener: TcpListener, beginning: &str, then: &str) {
    let mut stream = accept(&listener).await;
    read_request(&mut stream).await;
    write(&mut stream, beginning).await;
    for byte in then.bytes().cycle().take(if then.is_empty() { 0 } else { 10_000 }) {
        tokio::time::sleep(Duration::from_millis(5)).await;
        // The client may have left a moment ago.
        let _ = stream.write_all(&[byte]).await;
    }
    pending::<()>().await;
}

#[tokio::test]
async fn an_endpoint_that_is_never_told() {
    let config = Config::with_provider(pending::<Result<String, std::io::Error>>);
    assert_eq!(times_out(config, pending()).await, Phase::Endpoint);
}

#[tokio::test]
async fn a_port_that_does_not_accept() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // These fill the queue; what comes behind them is not answered.
    let waiting = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
    let config = Config::new(format!("ws://{address}")).unwrap();
    assert_eq!(times_out(config, pending()).await, Phase::Tcp);
    drop((waiting, listener));
}

#[tokio::test]
async fn a_server_that_says_nothing_to_tls() {
    let (listener, config) = listening("wss").await;
    let server = async {
        let _stream = accept(&listener).await;
        pending::<()>().await;
    };
    assert_eq!(times_out(config, server).await, Phase::Tls);
}

#[tokio::test]
async fn a_server_that_never_finishes_the_upgrade() {
    let beginnings = [
        ("", ""),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n", ""),
        ("HTTP/1.1 100 Continue\r\n\r\n", ""),
        // A byte now and then buys no time.
        ("HTTP/1.1 101 Switching Protocols\r\n", "X-Slow: y\r\n"),
    ];
    for (beginning, then) in beginnings {
        let (listener, config) = listening("ws").await;
        assert_eq!(times_out(config, says(listener, beginning, then)).await, Phase::Upgrade, "{beginning}");
    }
}
