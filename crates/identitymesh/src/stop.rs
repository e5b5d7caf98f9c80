//! Being asked to stop: Ctrl-C everywhere, and what service managers send: SIGTERM, or Windows' own events of closing.
//!
//! A process that stops when asked has done what was asked; how much of its work that leaves undone is the command's to say.

use std::io;

/// Listens for requests to stop, from when it is made.
pub(crate) struct StopRequests {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
    #[cfg(windows)]
    events: (
        tokio::signal::windows::CtrlC,
        tokio::signal::windows::CtrlBreak,
        tokio::signal::windows::CtrlClose,
        tokio::signal::windows::CtrlShutdown,
    ),
}

#[cfg(unix)]
impl StopRequests {
    /// Must be called within a runtime; from then on a request does not end the process by itself.
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { signals: [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?] })
    }

    /// The next request: the exit code by which shells know it.
    pub(crate) async fn next(&mut self) -> i32 {
        let [interrupt, terminate] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
        }
    }
}

#[cfg(windows)]
impl StopRequests {
    /// Must be called within a runtime; from then on a request does not end the process by itself.
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
        Ok(Self { events: (ctrl_c()?, ctrl_break()?, ctrl_close()?, ctrl_shutdown()?) })
    }

    /// The next request: the exit code by which shells know it.
    pub(crate) async fn next(&mut self) -> i32 {
        let (interrupt, stop, close, shutdown) = &mut self.events;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = stop.recv() => {}
            _ = close.recv() => {}
            _ = shutdown.recv() => {}
        }
        130
    }
}
