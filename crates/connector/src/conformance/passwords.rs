//! Clause 47: passwords.

use super::bench::{Bench, in_time};
use super::stop::{Stop, ensure, offered};
use crate::Outcome;

const FIRST: &str = "Correct-Horse 7 \"Battery\" Zoë";
const SECOND: &str = "Another, (longer) one; 0042";

pub(super) async fn c47_set_password_signs_in(bench: &Bench<'_>) -> Result<(), Stop> {
    offered(bench.can().set_password, "setting passwords")?;
    let (identity, _) = bench.one().await?;
    let mut open = bench.open().await?;
    for password in [FIRST, SECOND] {
        let passwords = open.session.passwords().ok_or(Stop::NotOffered("setting passwords"))?;
        let set = passwords.set_password(bench.form.object_type, &identity, password);
        let outcome = in_time("set_password", set).await??;
        ensure!(matches!(outcome, Outcome::Applied(_)), "setting a sound password ended as {outcome:?}");
        let signs_in = bench.subject.signs_in(&identity, password).await?;
        ensure!(signs_in == Some(true), "the password that was set does not sign in: {signs_in:?}");
    }
    let signs_in = bench.subject.signs_in(&identity, FIRST).await?;
    ensure!(signs_in == Some(false), "a password that was replaced still signs in: {signs_in:?}");
    let nobody = crate::Identity { external_id: "no-such-object".into(), address: None };
    let passwords = open.session.passwords().ok_or(Stop::NotOffered("setting passwords"))?;
    let outcome =
        in_time("set_password", passwords.set_password(bench.form.object_type, &nobody, FIRST)).await??;
    ensure!(!matches!(outcome, Outcome::Applied(_)), "the password of nobody was set: {outcome:?}");
    Ok(())
}
