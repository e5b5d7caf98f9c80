//! One connection: both directions, one message after the other.

use std::collections::HashMap;
use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::message::{Action, Message, Operation};

/// Anything that bytes go through.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Carries messages until one side ends, or `decide` does.
pub(super) async fn carry(
    number: usize,
    client: impl Stream,
    server: impl Stream,
    mut decide: impl FnMut(&Message) -> Action + Send,
) -> io::Result<()> {
    let (mut client_reader, mut client_writer) = tokio::io::split(client);
    let (mut server_reader, mut server_writer) = tokio::io::split(server);
    let (mut from_client, mut from_server) = (Vec::new(), Vec::new());
    let mut asked: HashMap<Vec<u8>, (Operation, String)> = HashMap::new();
    loop {
        let (is_request, count) = tokio::select! {
            read = client_reader.read_buf(&mut from_client) => (true, read?),
            read = server_reader.read_buf(&mut from_server) => (false, read?),
        };
        if count == 0 {
            return Ok(());
        }
        let buffer = if is_request { &mut from_client } else { &mut from_server };
        while let Some(mut message) = Message::take(buffer, number) {
            message.is_request = is_request;
            if is_request {
                asked.insert(message.id.clone(), (message.operation, message.name.clone()));
            } else if let Some((operation, name)) = asked.get(&message.id) {
                message.operation = *operation;
                if message.name.is_empty() {
                    message.name.clone_from(name);
                }
            }
            let bytes = Message::bytes(&message.id, &message.body);
            match decide(&message) {
                Action::Pass if is_request => server_writer.write_all(&bytes).await?,
                Action::Pass => client_writer.write_all(&bytes).await?,
                Action::Lose => {}
                Action::Cut => return Ok(()),
                Action::Answer(bodies) => {
                    let answers: Vec<u8> =
                        bodies.iter().flat_map(|body| Message::bytes(&message.id, body)).collect();
                    client_writer.write_all(&answers).await?;
                }
            }
        }
        server_writer.flush().await?;
        client_writer.flush().await?;
    }
}
