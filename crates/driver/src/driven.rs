//! One exchange on a connection that lives no longer than it.

use std::future::Future;
use std::pin::pin;

/// Runs an exchange and the connection that carries it, until the exchange is done.
///
/// The connection may end first: its last act is then to hand over the answer, or its error.
pub(crate) async fn driven<C: Future, E: Future>(connection: C, exchange: E) -> E::Output {
    let (mut connection, mut exchange) = (pin!(connection), pin!(exchange));
    let mut connected = true;
    loop {
        tokio::select! {
            output = &mut exchange => return output,
            _ = &mut connection, if connected => connected = false,
        }
    }
}
