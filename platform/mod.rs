//! The only code that touches a runtime, a TLS library or a browser. The target chooses the transport.

#[cfg(all(feature = "native", not(all(target_family = "wasm", target_os = "unknown"))))]
pub mod native;

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub mod web;

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod threads {
    use std::future::Future;
    use std::pin::Pin;

    /// A boxed future; `Send` where the target has threads.
    pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
    /// A shared function without arguments; `Send + Sync` where the target has threads.
    pub type SharedFn<T> = std::sync::Arc<dyn Fn() -> T + Send + Sync>;
    /// `Send` where the target has threads; nothing in the browser, whose values stay in their thread.
    pub trait MaybeSend: Send {}
    impl<T: Send> MaybeSend for T {}
    /// `Sync` where the target has threads; nothing in the browser.
    pub trait MaybeSync: Sync {}
    impl<T: Sync> MaybeSync for T {}
}

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod threads {
    use std::future::Future;
    use std::pin::Pin;

    /// A boxed future; `Send` where the target has threads.
    pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T>>>;
    /// A shared function without arguments; `Send + Sync` where the target has threads.
    pub type SharedFn<T> = std::sync::Arc<dyn Fn() -> T>;
    /// `Send` where the target has threads; nothing in the browser, whose values stay in their thread.
    pub trait MaybeSend {}
    impl<T> MaybeSend for T {}
    /// `Sync` where the target has threads; nothing in the browser.
    pub trait MaybeSync {}
    impl<T> MaybeSync for T {}
}

pub use threads::{BoxFuture, MaybeSend, MaybeSync, SharedFn};

/// What only some operating systems can do.
#[cfg(all(feature = "native", not(all(target_family = "wasm", target_os = "unknown"))))]
mod os {
    use std::io;
    use std::time::Duration;

    use tokio::net::TcpStream;

    /// Ends the connection when data of ours is not acknowledged for this long, even while the peer's still comes
    /// (RFC 5482). Elsewhere than on Linux the operating system decides on the time.
    pub fn set_user_timeout(stream: &TcpStream, timeout: Duration) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        return socket2::SockRef::from(stream).set_tcp_user_timeout(Some(timeout));
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        return Ok(drop((stream, timeout)));
    }

    /// A file that is made can be read by nobody else, where files have owners.
    #[cfg(feature = "record")]
    pub fn make_private(options: &mut std::fs::OpenOptions) {
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
        #[cfg(not(unix))]
        let _ = options;
    }

    #[cfg(all(test, any(target_os = "linux", target_os = "android")))]
    #[tokio::test]
    async fn the_kernel_is_told() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        set_user_timeout(&stream, Duration::from_millis(13_200)).unwrap();
        let told = socket2::SockRef::from(&stream).tcp_user_timeout().unwrap();
        assert_eq!(told, Some(Duration::from_millis(13_200)));
    }
}

/// What the crate's root shows of this target's transport.
#[cfg(all(feature = "native", not(all(target_family = "wasm", target_os = "unknown"))))]
pub mod here {
    /// This target's transport: a name for code that serves both.
    pub use super::native::Native as Transport;
    pub use super::native::{Native, Proxy, Tls, TlsVersion, connect, connect_with, start, supervise};
}
/// What the crate's root shows of this target's transport.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub mod here {
    /// This target's transport: a name for code that serves both.
    pub use super::web::Web as Transport;
    pub use super::web::{Web, connect, connect_with, start};
}
/// What the crate's root shows of this target's transport: none was chosen.
#[cfg(all(not(feature = "native"), not(all(target_family = "wasm", target_os = "unknown"))))]
pub mod here {}
