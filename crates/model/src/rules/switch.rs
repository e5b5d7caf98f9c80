//! Switches: their defaults, and when they need not be written.

/// Default of a switch that is on unless said otherwise.
pub(super) const fn yes() -> bool {
    true
}

/// Whether a switch has its value of "off", which need not be written.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
pub(super) const fn is_false(switch: &bool) -> bool {
    !*switch
}

/// Whether a switch has its value of "on", which need not be written.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
pub(super) const fn is_true(switch: &bool) -> bool {
    *switch
}
