//! The end of a process in good order, on SIGTERM and SIGINT.

use std::future::Future;

use tokio_util::sync::CancellationToken;

/// Waits until somebody asks the process to end: by Ctrl-C or SIGTERM.
pub async fn asked() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut int), Ok(mut term)) = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
        ) {
            tokio::select! { _ = int.recv() => {}, _ = term.recv() => {} }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Works until the work is done or somebody asks twice for an end: `None`.
///
/// Asked once, it tells so by `told` and cancels `stop`; the work is to end what is in flight and begin nothing new.
pub async fn gracefully<T>(
    work: impl Future<Output = T>,
    stop: &CancellationToken,
    told: impl FnOnce(),
) -> Option<T> {
    tokio::pin!(work);
    tokio::select! {
        result = &mut work => return Some(result),
        () = asked() => {}
    }
    told();
    stop.cancel();
    tokio::select! {
        result = &mut work => Some(result),
        () = asked() => None,
    }
}
