//! The little of BER that cutting messages out of a stream takes.

/// The tag and the content of the first element, and what stands behind it; nothing when it is not whole yet.
pub(super) fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, first) = (*bytes.first()?, usize::from(*bytes.get(1)?));
    let (header, length) = if first < 0x80 {
        (2, first)
    } else {
        let count = first & 0x7f;
        let digits = bytes.get(2..2 + count)?;
        (2 + count, digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)))
    };
    let content = bytes.get(header..header + length)?;
    Some((tag, content, &bytes[header + length..]))
}

/// An element with this tag.
pub(super) fn wrapped(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length) if length < 0x80 => bytes.push(length),
        _ => {
            let digits = content.len().to_be_bytes();
            let digits: Vec<u8> = digits.into_iter().skip_while(|digit| *digit == 0).collect();
            bytes.push(0x80 | u8::try_from(digits.len()).unwrap_or(8));
            bytes.extend(digits);
        }
    }
    bytes.extend(content);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_cut_out_whole_or_not_at_all() {
        for length in [0, 1, 127, 128, 300, 70_000] {
            let content = vec![7; length];
            let bytes = wrapped(0x30, &content);
            let more = [bytes.as_slice(), &[1, 2]].concat();
            assert_eq!(element(&more), Some((0x30, content.as_slice(), &[1, 2][..])));
            assert_eq!(element(&bytes[..bytes.len() - 1]), None);
        }
        assert_eq!(element(&[]), None);
    }
}
