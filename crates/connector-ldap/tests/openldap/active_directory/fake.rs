//! A stand-in for Microsoft's controllers where Samba is milder: it limits pages, and values in answers and in requests,
//! hands DirSync out in several answers, and refuses cookies.
//!
//! It speaks through `ldap3_proto`, an encoder that is not ours. Its filters know what the connector sends; ids are
//! sixteen letters, because that library takes values of filters for text.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use bytes::BytesMut;
use ldap3_proto::LdapCodec;
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{
    LdapBindResponse, LdapFilter, LdapMsg, LdapOp, LdapPartialAttribute, LdapResult, LdapResultCode,
    LdapSearchRequest, LdapSearchResultEntry, LdapSearchScope,
};
use tokio_util::codec::{Decoder, Encoder};

use super::fake_writes;

/// Entries of a page, whatever is asked for.
pub(super) const PAGE_MAX: usize = 10;
/// Values of an attribute that come at once.
pub(super) const VALUES_MAX: usize = 15;

pub(super) type Attributes = Vec<(String, Vec<Vec<u8>>)>;

/// What the controller holds.
#[derive(Default)]
pub(super) struct World {
    pub(super) entries: Vec<(String, Attributes)>,
    /// Answers of DirSync, one after the other; a cookie is the number of answers seen.
    pub(super) rounds: Vec<Vec<(String, Attributes)>>,
    /// Cookies below this are too old.
    pub(super) oldest: usize,
    /// The largest page that was asked for and searches that asked for none.
    pub(super) unpaged: usize,
    /// How often DirSync was asked.
    pub(super) asked: usize,
    /// Whether nothing may be written.
    pub(super) is_read_only: bool,
    /// Writes that are still done; those after them find the controller busy.
    pub(super) writes_left: Option<usize>,
    /// Writes that were done.
    pub(super) writes: usize,
}

/// A running stand-in; its thread ends with the test's process.
pub(super) struct Fake {
    pub(super) url: String,
    pub(super) world: Arc<Mutex<World>>,
}

pub(super) fn attributes(pairs: &[(&str, &[&str])]) -> Attributes {
    pairs
        .iter()
        .map(|(name, values)| {
            ((*name).to_owned(), values.iter().map(|value| value.as_bytes().to_vec()).collect())
        })
        .collect()
}

impl Fake {
    pub(super) fn start(entries: Vec<(String, Attributes)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ldap://{}", listener.local_addr().unwrap());
        let world = Arc::new(Mutex::new(World { entries: [schema(), entries].concat(), ..World::default() }));
        let shared = Arc::clone(&world);
        thread::spawn(move || {
            for socket in listener.incoming() {
                let world = Arc::clone(&shared);
                thread::spawn(move || serve(socket.unwrap(), &world));
            }
        });
        Self { url, world }
    }

    pub(super) fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The definitions that the tests need.
fn schema() -> Vec<(String, Attributes)> {
    let attribute = |name: &str, syntax: &str, single: &str| {
        let pairs = [
            ("objectClass", "attributeSchema"),
            ("lDAPDisplayName", name),
            ("attributeSyntax", syntax),
            ("isSingleValued", single),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), vec![value.as_bytes().to_vec()]));
        (format!("CN={name},CN=Schema,CN=Configuration,DC=t"), pairs.to_vec())
    };
    let class = |name: &str, may: &[&str]| {
        let more = attributes(&[
            ("objectClass", &["classSchema"]),
            ("lDAPDisplayName", &[name]),
            ("governsID", &[&format!("1.{name}")]),
            ("mayContain", may),
        ]);
        (format!("CN={name},CN=Schema,CN=Configuration,DC=t"), more)
    };
    vec![
        attribute("mail", "2.5.5.12", "TRUE"),
        attribute("member", "2.5.5.1", "FALSE"),
        attribute("objectGUID", "2.5.5.10", "TRUE"),
        attribute("unicodePwd", "2.5.5.10", "TRUE"),
        class("user", &["mail", "unicodePwd"]),
        class("group", &["member"]),
        class("organizationalUnit", &[]),
    ]
}

fn serve(mut socket: TcpStream, world: &Mutex<World>) {
    let (mut codec, mut buffer) = (LdapCodec::new(Some(1 << 20), None), BytesMut::new());
    loop {
        let mut answers = BytesMut::new();
        while let Ok(Some(message)) = codec.decode(&mut buffer) {
            let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
            for answer in answer(&mut world, message) {
                codec.encode(answer, &mut answers).unwrap();
            }
        }
        let mut bytes = [0; 65_536];
        match socket.write_all(&answers).and_then(|()| socket.read(&mut bytes)) {
            Ok(count) if count > 0 => buffer.extend_from_slice(&bytes[..count]),
            _ => return,
        }
    }
}

pub(super) fn result(code: LdapResultCode, message: &str) -> LdapResult {
    LdapResult { code, matcheddn: String::new(), message: message.to_owned(), referral: Vec::new() }
}

fn answer(world: &mut World, message: LdapMsg) -> Vec<LdapMsg> {
    let is_permissive = message.ctrl.iter().any(
        |control| matches!(control, LdapControl::Unknown { oid, .. } if oid == "1.2.840.113556.1.4.1413"),
    );
    let done = |op, ctrl| vec![LdapMsg { msgid: message.msgid, op, ctrl }];
    match message.op {
        LdapOp::BindRequest(_) => {
            let res = result(LdapResultCode::Success, "");
            done(LdapOp::BindResponse(LdapBindResponse { res, saslcreds: None }), Vec::new())
        }
        LdapOp::SearchRequest(request) => search(world, &request, &message.ctrl)
            .into_iter()
            .map(|(op, ctrl)| LdapMsg { msgid: message.msgid, op, ctrl })
            .collect(),
        LdapOp::AddRequest(request) => {
            done(LdapOp::AddResponse(fake_writes::add(world, request)), Vec::new())
        }
        LdapOp::ModifyRequest(request) => {
            done(LdapOp::ModifyResponse(fake_writes::modify(world, &request, is_permissive)), Vec::new())
        }
        _ => Vec::new(),
    }
}

type Answers = Vec<(LdapOp, Vec<LdapControl>)>;

fn search(world: &mut World, request: &LdapSearchRequest, controls: &[LdapControl]) -> Answers {
    if request.base.is_empty() {
        return all(vec![("".to_owned(), root())], request, Vec::new());
    }
    for control in controls {
        if let LdapControl::AdDirsync { cookie, .. } = control {
            return dirsync(world, request, cookie.as_deref().unwrap_or_default());
        }
    }
    let found = found(world, request);
    let page = controls.iter().find_map(|control| match control {
        LdapControl::SimplePagedResults { size, cookie } => Some((*size, cookie.clone())),
        _ => None,
    });
    let Some((size, cookie)) = page else {
        if request.scope != LdapSearchScope::Base {
            world.unpaged += 1;
        }
        let mut answers = all(found, request, Vec::new());
        if answers.len() > PAGE_MAX + 1 {
            answers.truncate(PAGE_MAX);
            answers
                .push((LdapOp::SearchResultDone(result(LdapResultCode::SizeLimitExceeded, "")), Vec::new()));
        }
        return answers;
    };
    let start: usize = String::from_utf8(cookie).unwrap().parse().unwrap_or(0);
    let size = usize::try_from(size).unwrap().min(PAGE_MAX);
    let next = (start + size < found.len()).then(|| (start + size).to_string().into_bytes());
    let page = found.into_iter().skip(start).take(size).collect();
    all(page, request, vec![LdapControl::SimplePagedResults { size: 0, cookie: next.unwrap_or_default() }])
}

fn found(world: &World, request: &LdapSearchRequest) -> Vec<(String, Attributes)> {
    let base = request.base.to_ascii_lowercase();
    let is_inside = |dn: &str| match request.scope {
        LdapSearchScope::Base => dn == base,
        _ => dn.ends_with(&format!(",{base}")) || (dn == base && request.scope == LdapSearchScope::Subtree),
    };
    let entries = world.entries.iter().filter(|(dn, _)| is_inside(&dn.to_ascii_lowercase()));
    entries.filter(|(_, attributes)| matches(&request.filter, attributes)).cloned().collect()
}

fn dirsync(world: &mut World, request: &LdapSearchRequest, cookie: &[u8]) -> Answers {
    world.asked += 1;
    let seen: usize = String::from_utf8_lossy(cookie).parse().unwrap_or(0);
    if !cookie.is_empty() && seen < world.oldest {
        let said = "00002074: the cookie is too old";
        return vec![(
            LdapOp::SearchResultDone(result(LdapResultCode::UnwillingToPerform, said)),
            Vec::new(),
        )];
    }
    let round = world.rounds.get(seen).cloned().unwrap_or_default();
    let next = (seen + 1).min(world.rounds.len());
    let has_more = next < world.rounds.len();
    let control = LdapControl::AdDirsync {
        flags: i64::from(has_more),
        max_bytes: 0,
        cookie: Some(next.to_string().into_bytes()),
    };
    // A filter that nothing matches asks for the place alone.
    let is_place = matches!(request.filter, LdapFilter::Not(_));
    all(if is_place { Vec::new() } else { round }, request, vec![control])
}

fn root() -> Attributes {
    attributes(&[
        ("supportedCapabilities", &["1.2.840.113556.1.4.800"]),
        (
            "supportedControl",
            &["1.2.840.113556.1.4.319", "1.2.840.113556.1.4.841", "1.2.840.113556.1.4.1413"],
        ),
        ("namingContexts", &["DC=t"]),
        ("schemaNamingContext", &["CN=Schema,CN=Configuration,DC=t"]),
        ("vendorName", &["A stand-in"]),
    ])
}

fn matches(filter: &LdapFilter, attributes: &Attributes) -> bool {
    let values = |name: &str| {
        let held = attributes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        held.map_or(&[][..], |(_, values)| values.as_slice())
    };
    match filter {
        LdapFilter::And(parts) => parts.iter().all(|part| matches(part, attributes)),
        LdapFilter::Or(parts) => parts.iter().any(|part| matches(part, attributes)),
        LdapFilter::Not(part) => !matches(part, attributes),
        LdapFilter::Present(name) => !values(name).is_empty(),
        LdapFilter::Equality(name, value) => {
            values(name).iter().any(|held| held.eq_ignore_ascii_case(value.as_bytes()))
        }
        _ => false,
    }
}

/// Entries as they are asked for, and the end.
fn all(
    entries: Vec<(String, Attributes)>,
    request: &LdapSearchRequest,
    controls: Vec<LdapControl>,
) -> Answers {
    let mut answers: Answers = entries
        .into_iter()
        .map(|(dn, attributes)| {
            let attributes = attributes.iter().flat_map(|one| limited(one, &request.attrs));
            let attributes = attributes.map(|(atype, vals)| LdapPartialAttribute { atype, vals }).collect();
            (LdapOp::SearchResultEntry(LdapSearchResultEntry { dn, attributes }), Vec::new())
        })
        .collect();
    answers.push((LdapOp::SearchResultDone(result(LdapResultCode::Success, "")), controls));
    answers
}

/// An attribute if it is asked for, in pieces when it has many values: the plain name then comes without any.
fn limited((name, values): &(String, Vec<Vec<u8>>), wanted: &[String]) -> Attributes {
    let plain = name.split(';').next().unwrap_or(name);
    let range = wanted.iter().find_map(|asked| {
        let (asked, range) = asked.split_once(";range=")?;
        let start = range.split('-').next()?.parse::<usize>().ok()?;
        asked.eq_ignore_ascii_case(plain).then_some(start)
    });
    let is_wanted = wanted.iter().any(|asked| asked == "*" || asked.eq_ignore_ascii_case(plain));
    if range.is_none() && !is_wanted {
        return Vec::new();
    }
    let start = range.unwrap_or(0);
    if range.is_none() && (values.len() <= VALUES_MAX || name.contains(';')) {
        return vec![(name.clone(), values.clone())];
    }
    let piece: Vec<Vec<u8>> = values.iter().skip(start).take(VALUES_MAX).cloned().collect();
    let end = start + piece.len();
    let last = if end == values.len() { "*".to_owned() } else { (end - 1).to_string() };
    let whole = (range.is_none()).then(|| (name.clone(), Vec::new()));
    whole.into_iter().chain([(format!("{name};range={start}-{last}"), piece)]).collect()
}
