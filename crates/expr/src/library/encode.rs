//! Binary values as text and back, and the identifiers of Windows.
//!
//! Where text is given in place of binary, its UTF-8 bytes are meant. An `objectGUID` is sixteen bytes of which the
//! first three groups are stored little-endian; its text is what other tools of that platform show.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use identitymesh_model::{hex, sha256};

use super::Call;
use super::table::{FunctionDoc, Run, T, once};
use crate::bounds::TEXT_BYTES_MAX;
use crate::data::Data;
use crate::environment::Kinds;
use crate::errors::Fault;

const FAMILY: &str = "Encoding";
const BYTES: super::Parameter = once("value", T.union(Kinds::BINARY));
const BINARY: super::Parameter = once("value", Kinds::BINARY);

pub(super) const FUNCTIONS: &[FunctionDoc] = &[
    FunctionDoc::new(FAMILY, "Base64Encode", "Base64Encode(value)", &[BYTES], T, Run::Body(base64_encode))
        .help("The bytes, or the UTF-8 bytes of the text, in base 64")
        .example("Base64Encode('Ann')", "\"QW5u\""),
    FunctionDoc::new(
        FAMILY,
        "Base64Decode",
        "Base64Decode(text)",
        &[once("text", T)],
        Kinds::BINARY,
        Run::Body(base64_decode),
    )
    .help("The bytes that the text spells in base 64; use ToText for UTF-8 text")
    .example("ToText(Base64Decode('QW5u'))", "\"Ann\""),
    FunctionDoc::new(FAMILY, "HexEncode", "HexEncode(value)", &[BYTES], T, Run::Body(hex_encode))
        .help("The bytes, or the UTF-8 bytes of the text, in hexadecimal")
        .example("HexEncode('Ann')", "\"416e6e\""),
    FunctionDoc::new(FAMILY, "Sha256", "Sha256(value)", &[BYTES], T, Run::Body(sha_256))
        .help("The SHA-256 of the bytes, or of the UTF-8 bytes of the text, in hexadecimal")
        .example("Left(Sha256('abc'), 16)", "\"ba7816bf8f01cfea\""),
    FunctionDoc::new(FAMILY, "SidToText", "SidToText(value)", &[BINARY], T, Run::Body(sid_to_text))
        .help("A binary security identifier, such as objectSid, as S-1-…")
        .example(
            "SidToText(b'\\001\\001\\000\\000\\000\\000\\000\\005\\022\\000\\000\\000')",
            "\"S-1-5-18\"",
        ),
    FunctionDoc::new(FAMILY, "GuidToText", "GuidToText(value)", &[BINARY], T, Run::Body(guid_to_text))
        .help("A binary GUID, such as objectGUID, as text")
        .example(
            "GuidToText(b'\\001\\002\\003\\004\\005\\006\\007\\010\\011\\012\\013\\014\\015\\016\\017\\020')",
            "\"04030201-0605-0807-090a-0b0c0d0e0f10\"",
        ),
];

fn fits(bytes: usize) -> Result<(), Fault> {
    if bytes > TEXT_BYTES_MAX { Err(Fault::text_too_large()) } else { Ok(()) }
}

fn base64_encode<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let bytes = call.bytes(0);
    fits(bytes.len().div_ceil(3) * 4)?;
    Ok(Data::text(BASE64.encode(bytes)))
}

fn base64_decode<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let text = call.text(0);
    let spelled: String = text.chars().filter(|char| !char.is_ascii_whitespace()).collect();
    let bytes =
        BASE64.decode(spelled).map_err(|error| Fault::value(format!("the text is not base 64: {error}")))?;
    Ok(Data::Binary(bytes.into()))
}

fn hex_encode<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let bytes = call.bytes(0);
    fits(bytes.len() * 2)?;
    Ok(Data::text(hex(&bytes)))
}

fn sha_256<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    Ok(Data::text(hex(&sha256(&call.bytes(0)))))
}

fn sid_to_text<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let bytes = call.bytes(0);
    let wrong = || Fault::value(format!("{} bytes are no security identifier", bytes.len()));
    let [revision, count, a, b, c, d, e, f, parts @ ..] = &*bytes else { return Err(wrong()) };
    if *revision != 1 || *count > 15 || parts.len() != 4 * usize::from(*count) {
        return Err(wrong());
    }
    let authority = u64::from_be_bytes([0, 0, *a, *b, *c, *d, *e, *f]);
    let mut text = format!("S-1-{authority}");
    for part in parts.chunks_exact(4) {
        let number = u32::from_le_bytes(part.try_into().expect("a chunk has four bytes"));
        write!(text, "-{number}").expect("a string takes what is written");
    }
    Ok(Data::text(text))
}

fn guid_to_text<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let bytes = call.bytes(0);
    let Ok(mut guid) = <[u8; 16]>::try_from(&*bytes) else {
        return Err(Fault::value(format!("a GUID has 16 bytes, not {}", bytes.len())));
    };
    guid[..4].reverse();
    guid[4..6].reverse();
    guid[6..8].reverse();
    let hex = hex(&guid);
    Ok(Data::text(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])))
}
