//! stub
use super::{Done, Shell};
pub(super) fn run(_: &Shell, _: &crate::arguments::DemoArguments) -> anyhow::Result<Done> {
    anyhow::bail!("later")
}
