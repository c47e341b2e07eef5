//! SOCKS5 (RFC 1928) with user name and password (RFC 1929).

use std::net::IpAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Credentials, broken, failure};
use crate::config::Url;
use crate::error::{ConnectError, ProxyFailure};
use crate::platform::native::stream::Stream;

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const PASSWORD: u8 = 2;

/// Asks the proxy for a connection to the server.
pub(super) async fn open(
    stream: &mut Box<dyn Stream>,
    to: &Url,
    credentials: Option<&Credentials>,
) -> Result<(), ConnectError> {
    let methods: &[u8] =
        if credentials.is_some() { &[VERSION, 2, NO_LOGIN, PASSWORD] } else { &[VERSION, 1, NO_LOGIN] };
    send(stream, methods).await?;
    let [version, method] = receive(stream).await?;
    check_version(version)?;
    match (method, credentials) {
        (NO_LOGIN, _) => {}
        (PASSWORD, Some(credentials)) => log_in(stream, credentials).await?,
        (0xff, Some(_)) => return refuse(ProxyFailure::Authentication, "it takes no user name and password"),
        (0xff, None) => {
            return refuse(
                ProxyFailure::Authentication,
                "it asks for a login, and no credentials were given",
            );
        }
        _ => return refuse(ProxyFailure::Protocol, "it chose a method that was not offered"),
    }
    send(stream, &request(to)).await?;
    // A proxy that refuses may leave out the rest of the reply.
    let [version, reply] = receive(stream).await?;
    check_version(version)?;
    check_reply(reply)?;
    skip_address(stream).await
}

async fn log_in(stream: &mut Box<dyn Stream>, credentials: &Credentials) -> Result<(), ConnectError> {
    let mut login = vec![1];
    push_counted(&mut login, credentials.user.expose().as_bytes());
    push_counted(&mut login, credentials.password.expose().as_bytes());
    send(stream, &login).await?;
    match receive(stream).await? {
        [_, 0] => Ok(()),
        _ => refuse(ProxyFailure::Authentication, "it refused the user name and password"),
    }
}

fn request(to: &Url) -> Vec<u8> {
    let mut request = vec![VERSION, 1, 0];
    match to.host().parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            request.push(1);
            request.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(4);
            request.extend(address.octets());
        }
        Err(_) => {
            request.push(3);
            push_counted(&mut request, to.host().as_bytes());
        }
    }
    request.extend(to.port().to_be_bytes());
    request
}

/// Pushes bytes behind their count. Hosts and credentials were checked to have at most 255.
fn push_counted(message: &mut Vec<u8>, bytes: &[u8]) {
    message.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
    message.extend(bytes.iter().take(usize::from(u8::MAX)));
}

fn check_version(version: u8) -> Result<(), ConnectError> {
    if version == VERSION { Ok(()) } else { refuse(ProxyFailure::Protocol, "it does not speak SOCKS5") }
}

/// RFC 1928 section 6.
fn check_reply(reply: u8) -> Result<(), ConnectError> {
    match reply {
        0 => Ok(()),
        1 => refuse(ProxyFailure::Unavailable, "it had a general failure"),
        2 => refuse(ProxyFailure::Refused, "its rules do not allow this server"),
        3 => refuse(ProxyFailure::Unavailable, "it cannot reach the server's network"),
        4 => refuse(ProxyFailure::Unavailable, "it cannot reach the server"),
        5 => refuse(ProxyFailure::Unavailable, "the server refused its connection"),
        6 => refuse(ProxyFailure::Unavailable, "its connection to the server timed out"),
        7 => refuse(ProxyFailure::Refused, "it makes no connections"),
        8 => refuse(ProxyFailure::Refused, "it does not know this type of address"),
        _ => refuse(ProxyFailure::Protocol, "it replied something that SOCKS5 does not have"),
    }
}

/// The address that the proxy connected from, which ends the reply, is of no use here.
async fn skip_address(stream: &mut Box<dyn Stream>) -> Result<(), ConnectError> {
    let [_reserved, kind] = receive(stream).await?;
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(receive::<1>(stream).await?[0]),
        _ => return refuse(ProxyFailure::Protocol, "it replied with an unknown type of address"),
    };
    let mut rest = vec![0; length + 2];
    stream.read_exact(&mut rest).await.map_err(|error| broken(&error))?;
    Ok(())
}

async fn send(stream: &mut Box<dyn Stream>, message: &[u8]) -> Result<(), ConnectError> {
    stream.write_all(message).await.map_err(|error| broken(&error))?;
    stream.flush().await.map_err(|error| broken(&error))
}

async fn receive<const N: usize>(stream: &mut Box<dyn Stream>) -> Result<[u8; N], ConnectError> {
    let mut received = [0; N];
    stream.read_exact(&mut received).await.map_err(|error| broken(&error))?;
    Ok(received)
}

fn refuse<T>(kind: ProxyFailure, problem: &str) -> Result<T, ConnectError> {
    Err(failure(kind, problem))
}
