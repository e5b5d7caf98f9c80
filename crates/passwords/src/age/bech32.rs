//! Bech32 (BIP 173), as far as a public key needs it: 32 bytes behind the word `age`.

const LETTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const CHECKSUM_LETTERS: usize = 6;
const KEY_BYTES: usize = 32;
const PREFIX: &str = "age";

/// The 32 bytes of a public key.
///
/// # Errors
/// In words, what is wrong with the text.
pub(super) fn key(text: &str) -> Result<[u8; KEY_BYTES], &'static str> {
    let is_mixed = text.bytes().any(|byte| byte.is_ascii_uppercase())
        && text.bytes().any(|byte| byte.is_ascii_lowercase());
    if is_mixed {
        return Err("it has small and capital letters");
    }
    let text = text.to_ascii_lowercase();
    let data = text.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('1'));
    let data = data.ok_or("it does not begin with age1")?;
    let five = |byte| LETTERS.iter().position(|letter| *letter == byte).and_then(|at| u8::try_from(at).ok());
    let values: Vec<u8> =
        data.bytes().map(five).collect::<Option<_>>().ok_or("it has a letter that no key has")?;
    let Some((groups, _)) = values.split_last_chunk::<CHECKSUM_LETTERS>() else {
        return Err("it is too short");
    };
    if checksum(&values) != 1 {
        return Err("its checksum is wrong: a letter is missing or mistyped");
    }
    bytes(groups)
}

/// Groups of five bits as bytes; the bits that are left over have to be zero.
fn bytes(groups: &[u8]) -> Result<[u8; KEY_BYTES], &'static str> {
    const LENGTH: &str = "it is no key of 32 bytes";
    let (mut bits, mut count) = (0_u32, 0_u32);
    let mut out = Vec::with_capacity(KEY_BYTES);
    for group in groups {
        bits = (bits << 5 | u32::from(*group)) & 0xfff;
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).map_err(|_| LENGTH)?);
        }
    }
    if count >= 5 || bits & ((1 << count) - 1) != 0 {
        return Err(LENGTH);
    }
    out.try_into().map_err(|_| LENGTH)
}

fn checksum(values: &[u8]) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let high = PREFIX.bytes().map(|byte| byte >> 5);
    let low = PREFIX.bytes().map(|byte| byte & 31);
    let expanded = high.chain(std::iter::once(0)).chain(low).chain(values.iter().copied());
    expanded.fold(1_u32, |sum, value| {
        let top = sum >> 25;
        let sum = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
        let taps = GENERATOR.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1);
        taps.fold(sum, |sum, (_, tap)| sum ^ tap)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // A key that `age-keygen` printed.
    const KEY: &str = "age1h22knvkupj0wzzreslttfv53ywllwc0gstq2jdq2f9y5v5zujefq4q6vmh";

    #[test]
    fn a_key_reads_in_small_or_capital_letters() {
        assert_eq!(key(KEY), key(&KEY.to_ascii_uppercase()));
        assert_eq!(key(KEY).unwrap()[..2], [0xba, 0x95]);
    }

    #[test]
    fn what_is_no_key_is_told_apart() {
        let mistyped = KEY.replacen('2', "q", 1);
        let mixed = KEY.replacen('h', "H", 1);
        for (text, why) in [
            ("", "it does not begin with age1"),
            ("AGE-SECRET-KEY-1QQQ", "it does not begin with age1"),
            ("ssh-ed25519 AAAA", "it has small and capital letters"),
            ("age1b", "it has a letter that no key has"),
            ("age1qqqq", "it is too short"),
            (&KEY[..40], "its checksum is wrong: a letter is missing or mistyped"),
            (&mistyped, "its checksum is wrong: a letter is missing or mistyped"),
            (&mixed, "it has small and capital letters"),
        ] {
            assert_eq!(key(text), Err(why), "{text}");
        }
        // Too short, with bits left over that say something, and sound.
        assert_eq!(bytes(&[0; 51]), Err("it is no key of 32 bytes"));
        assert_eq!(bytes(&[31; 52]), Err("it is no key of 32 bytes"));
        assert!(bytes(&[0; 52]).is_ok());
    }
}
