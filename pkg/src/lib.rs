//! The WebAssembly core of the npm package. Its exports arrive with the browser transport.
