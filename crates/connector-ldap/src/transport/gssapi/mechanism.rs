//! The steps of SASL GSSAPI: tokens until both sides know each other, then an agreement about a security layer.
//!
//! Under TLS no layer is asked for, and servers refuse one. Without TLS the strongest that the server offers is taken.

use std::io;
use std::path::Path;
use std::sync::Arc;

use identitymesh_connector::{Class, ConnectorError};

use super::library::{Context, Problem};
use crate::error;
use crate::settings::Kerberos;
use crate::transport::frames::SecurityLayer;
use crate::transport::message::Credentials;
use crate::transport::requests::Answer;
use crate::transport::wire::Wire;

const SASL_BIND_IN_PROGRESS: u32 = 14;
/// Steps before the server is taken to run in circles.
const STEPS_MAX: usize = 10;
/// Largest sealed piece that we take.
const SEALED_BYTES_MAX: u32 = 0xff_ffff;

/// Layers as bits of the agreement.
const NO_LAYER: u8 = 1;
const INTEGRITY: u8 = 2;
const CONFIDENTIALITY: u8 = 4;

/// Signs in; the last answer of the server, which may be a refusal.
pub(crate) async fn sign_in(
    wire: &mut Wire,
    host: &str,
    kerberos: &Kerberos,
    what: &str,
) -> Result<Answer, ConnectorError> {
    let (service, wants_layer, kerberos) = (format!("ldap@{host}"), !wire.is_tls(), kerberos.clone());
    let context = blocking(move || {
        let keytab = kerberos.keytab.as_deref().map(Path::new);
        Context::new(&service, keytab, kerberos.principal.as_deref(), wants_layer).map(Arc::new)
    })
    .await
    .map_err(|problem| failed(what, problem))?;
    let mut received: Option<Vec<u8>> = None;
    for _ in 0..STEPS_MAX {
        let step = Arc::clone(&context);
        let token = received.take();
        let (token, goes_on) =
            blocking(move || step.step(token.as_deref())).await.map_err(|problem| failed(what, problem))?;
        // An established context with nothing left to say waits for the server's offer.
        let (answer, next) = ask(wire, &token, what).await?;
        if answer.code != SASL_BIND_IN_PROGRESS {
            return Ok(answer);
        }
        let next = next.unwrap_or_default();
        if !goes_on {
            return agree(wire, context, &next, what).await;
        }
        received = Some(next);
    }
    Err(failed(what, Problem::Refused("the server asks for ever more steps".to_owned())))
}

async fn ask(wire: &mut Wire, token: &[u8], what: &str) -> Result<(Answer, Option<Vec<u8>>), ConnectorError> {
    let credentials = Credentials::Sasl { mechanism: "GSSAPI", token: Some(token) };
    wire.bind(&credentials).await.map_err(|failure| error::no_answer(what, failure))
}

async fn agree(
    wire: &mut Wire,
    context: Arc<Context>,
    offer: &[u8],
    what: &str,
) -> Result<Answer, ConnectorError> {
    let refuse = |problem| failed(what, problem);
    let (offer, _) = context.unwrap(offer).map_err(refuse)?;
    let (layer, bytes_max) = chosen(&offer, wire.is_tls()).map_err(refuse)?;
    let [_, high, middle, low] = SEALED_BYTES_MAX.to_be_bytes();
    let ours = if layer == NO_LAYER { [layer, 0, 0, 0] } else { [layer, high, middle, low] };
    let token = context.wrap(&ours, false).map_err(refuse)?;
    let (answer, _) = ask(wire, &token, what).await?;
    if answer.code == crate::result::SUCCESS && layer != NO_LAYER {
        let is_confidential = layer == CONFIDENTIALITY;
        let plain = context.plain_bytes_max(bytes_max, is_confidential).map_err(refuse)?;
        let plain_bytes_max = usize::try_from(plain).unwrap_or(1).max(1);
        wire.secure(Arc::new(Layer { context, is_confidential, plain_bytes_max }));
    }
    Ok(answer)
}

/// The layer and the largest sealed piece that the server takes, out of its offer.
fn chosen(offer: &[u8], is_tls: bool) -> Result<(u8, u32), Problem> {
    let &[layers, high, middle, low] = offer else {
        return Err(Problem::Refused("the server's offer of layers cannot be read".to_owned()));
    };
    let bytes_max = u32::from_be_bytes([0, high, middle, low]);
    let wanted = if is_tls { &[NO_LAYER][..] } else { &[CONFIDENTIALITY, INTEGRITY, NO_LAYER] };
    let layer = wanted.iter().copied().find(|layer| layers & layer != 0);
    let layer = layer.ok_or_else(|| {
        Problem::Refused("the server wants a security layer although the connection is encrypted".to_owned())
    })?;
    Ok((layer, bytes_max))
}

/// Kerberos asks its servers while the caller waits.
async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(call)
        .await
        .unwrap_or_else(|_| Err(Problem::Refused("the library was given up".to_owned())))
}

fn failed(what: &str, problem: Problem) -> ConnectorError {
    match problem {
        Problem::NoLibrary(why) => {
            let message = format!("{what}: this machine has no Kerberos library ({why})");
            ConnectorError::new(error::NO_KERBEROS, Class::Configuration, message)
                .advice("install it (Debian and Ubuntu: apt-get install libgssapi-krb5-2), or sign in with bind_dn")
        }
        Problem::Refused(why) => ConnectorError::new(error::TICKET, Class::Denied, format!("{what}: {why}"))
            .advice(
                "try the same by hand: kinit -k -t KEYTAB PRINCIPAL, then kvno ldap/HOST with the host as it stands in `servers`",
            ),
    }
}

struct Layer {
    context: Arc<Context>,
    is_confidential: bool,
    plain_bytes_max: usize,
}

impl SecurityLayer for Layer {
    fn seal(&self, plain: &[u8]) -> io::Result<Vec<u8>> {
        self.context.wrap(plain, self.is_confidential).map_err(broken)
    }

    fn open(&self, sealed: &[u8]) -> io::Result<Vec<u8>> {
        match self.context.unwrap(sealed).map_err(broken)? {
            (_, false) if self.is_confidential => {
                Err(broken(Problem::Refused("the server sent something that was not encrypted".to_owned())))
            }
            (plain, _) => Ok(plain),
        }
    }

    fn plain_bytes_max(&self) -> usize {
        self.plain_bytes_max
    }

    fn is_confidential(&self) -> bool {
        self.is_confidential
    }
}

fn broken(problem: Problem) -> io::Error {
    let (Problem::NoLibrary(why) | Problem::Refused(why)) = problem;
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_layer_is_taken_and_none_under_tls() {
        assert_eq!(chosen(&[7, 0, 16, 0], false), Ok((CONFIDENTIALITY, 4_096)));
        assert_eq!(chosen(&[3, 0, 16, 0], false), Ok((INTEGRITY, 4_096)));
        assert_eq!(chosen(&[7, 0, 16, 0], true), Ok((NO_LAYER, 4_096)));
        assert!(chosen(&[6, 0, 16, 0], true).is_err());
        assert!(chosen(&[7], false).is_err());
    }
}
