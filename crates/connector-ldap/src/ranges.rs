//! Attributes with more values than a server gives at once (Active Directory's range retrieval).
//!
//! Such an attribute arrives under a name like `member;range=0-1499`, without its plain name. The rest is asked for
//! piece by piece until a piece says that it is the last. A server that does not come forward is left; values that
//! come twice, because somebody changes the attribute meanwhile, collapse later.

use identitymesh_connector::{Class, ConnectorError};

use crate::error;
use crate::result;
use crate::transport::{Bytes, Entry, Search, Transport};

/// Most values of one attribute.
const VALUE_COUNT_MAX: usize = 5_000_000;

/// `member;range=0-1499` taken apart: the name, the first and the last value, none for the end of all.
fn range(description: &str) -> Option<(&str, usize, Option<usize>)> {
    let (name, option) = description.split_once(';')?;
    let (from, to) =
        option.strip_prefix("range=").or_else(|| option.strip_prefix("Range="))?.split_once('-')?;
    let to = if to == "*" { None } else { Some(to.parse().ok()?) };
    Some((name, from.parse().ok()?, to))
}

/// Whether an attribute of the entry came in part.
pub(crate) fn is_partial(entry: &Entry) -> bool {
    entry.attributes.iter().any(|(description, _)| range(description).is_some())
}

/// Reads what is missing of every attribute that came in part, from the entry called `name`, and gives all of them
/// their plain names.
///
/// # Errors
/// When the server cannot be asked, or does not come forward. The entry is gone when it was deleted meanwhile.
pub(crate) async fn complete(
    transport: &dyn Transport,
    name: &str,
    entry: &mut Entry,
) -> Result<bool, ConnectorError> {
    let mut whole: Vec<(String, Vec<Bytes>)> = Vec::with_capacity(entry.attributes.len());
    for (description, mut values) in std::mem::take(&mut entry.attributes) {
        let Some((attribute, _, mut last)) = range(&description) else {
            // Some servers send the plain name too, without values.
            if !values.is_empty() || !whole.iter().any(|(known, _)| known.eq_ignore_ascii_case(&description))
            {
                whole.push((description, values));
            }
            continue;
        };
        while let Some(end) = last {
            match piece(transport, name, attribute, end + 1).await? {
                Piece::Gone => return Ok(false),
                Piece::None => break,
                Piece::Values(more, next) => {
                    let is_forward = next.is_none_or(|next| next > end) && !more.is_empty();
                    if !is_forward || values.len() + more.len() > VALUE_COUNT_MAX {
                        return Err(stuck(attribute, name, values.len()));
                    }
                    values.extend(more);
                    last = next;
                }
            }
        }
        whole.retain(|(known, values)| !(values.is_empty() && known.eq_ignore_ascii_case(attribute)));
        whole.push((attribute.to_owned(), values));
    }
    entry.attributes = whole;
    Ok(true)
}

enum Piece {
    Values(Vec<Bytes>, Option<usize>),
    /// There are no values from there on.
    None,
    /// The entry is not there.
    Gone,
}

async fn piece(
    transport: &dyn Transport,
    name: &str,
    attribute: &str,
    from: usize,
) -> Result<Piece, ConnectorError> {
    let what = format!("reading more of {attribute}");
    let wanted = format!("{attribute};range={from}-*");
    let search = Search::entry(name, [wanted].into());
    let found = transport.search(&search).await.map_err(|failure| error::no_answer(&what, failure))?;
    if found.answer.code == result::NO_SUCH_OBJECT {
        return Ok(Piece::Gone);
    }
    if found.answer.code != result::SUCCESS {
        return Err(error::search_refused(&what, name, &found.answer));
    }
    let Some(entry) = found.entries.into_iter().next() else { return Ok(Piece::Gone) };
    for (description, values) in entry.attributes {
        if let Some((known, start, last)) = range(&description)
            && known.eq_ignore_ascii_case(attribute)
        {
            if start != from {
                return Err(stuck(attribute, name, from));
            }
            return Ok(Piece::Values(values, last));
        }
    }
    Ok(Piece::None)
}

fn stuck(attribute: &str, name: &str, at: usize) -> ConnectorError {
    let message = format!("the server does not come forward with {attribute} of {name} after {at} values");
    ConnectorError::new(error::REPEATS, Class::Data, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_recognised_by_their_option() {
        assert_eq!(range("member;range=0-1499"), Some(("member", 0, Some(1_499))));
        assert_eq!(range("member;range=1500-*"), Some(("member", 1_500, None)));
        for text in ["member", "cert;binary", "member;range=", "member;range=a-b", "member;range=1-"] {
            assert_eq!(range(text), None, "{text}");
        }
    }
}
