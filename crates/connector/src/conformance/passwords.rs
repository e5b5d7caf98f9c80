//! Clauses 47 and 48: passwords.

use super::bench::{Bench, in_time};
use super::stop::{Stop, ensure, offered};
use crate::{NewPassword, OperationKind, Outcome};

const FIRST: &str = "Correct-Horse 7 \"Battery\" Zoë";
const SECOND: &str = "Another, (longer) one; 0042";

pub(super) async fn c47_set_password_signs_in(bench: &Bench<'_>) -> Result<(), Stop> {
    offered(bench.can().set_password, "setting passwords")?;
    let (identity, _) = bench.one().await?;
    let mut open = bench.open().await?;
    for password in [FIRST, SECOND] {
        let passwords = open.session.passwords().ok_or(Stop::NotOffered("setting passwords"))?;
        let new = NewPassword::new(password, false);
        let set = passwords.set_password(bench.form.object_type, &identity, &new);
        let outcome = in_time("set_password", set).await??;
        ensure!(matches!(outcome, Outcome::Applied(_)), "setting a sound password ended as {outcome:?}");
        let signs_in = bench.subject.signs_in(&identity, password).await?;
        ensure!(signs_in == Some(true), "the password that was set does not sign in: {signs_in:?}");
    }
    let signs_in = bench.subject.signs_in(&identity, FIRST).await?;
    ensure!(signs_in == Some(false), "a password that was replaced still signs in: {signs_in:?}");
    let nobody = crate::Identity { external_id: "no-such-object".into(), address: None };
    let passwords = open.session.passwords().ok_or(Stop::NotOffered("setting passwords"))?;
    let first = NewPassword::new(FIRST, false);
    let set = passwords.set_password(bench.form.object_type, &nobody, &first);
    let outcome = in_time("set_password", set).await??;
    ensure!(!matches!(outcome, Outcome::Applied(_)), "the password of nobody was set: {outcome:?}");
    Ok(())
}

pub(super) async fn c48_first_password_is_there_where_the_answer_says_so(
    bench: &Bench<'_>,
) -> Result<(), Stop> {
    offered(bench.can().set_password, "setting passwords")?;
    let attributes = bench.subject.sample(1);
    let kind = OperationKind::Create {
        attributes,
        create_container: false,
        password: Some(NewPassword::new(FIRST, false)),
    };
    let outcome = bench.exports().await?.export_one(bench, kind).await?;
    let Outcome::Applied(written) = outcome else {
        return Err(Stop::Broken(format!("creating with a password ended as {outcome:?}")));
    };
    let external_id =
        written.external_id.ok_or_else(|| Stop::Broken("no external id came back".to_owned()))?;
    let identity = bench.identity(&external_id).await?;
    let signs_in = bench.subject.signs_in(&identity, FIRST).await?;
    ensure!(
        signs_in == Some(written.has_password),
        "the answer says {} and the password signs in: {signs_in:?}",
        written.has_password
    );
    Ok(())
}
