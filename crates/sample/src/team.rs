//! Teams and distribution lists, which only the phone book knows.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::person::EmployeeId;

/// Fewest members a new team has, unless the company is smaller. Leavers may shrink it further.
pub const TEAM_MEMBERS_MIN: usize = 3;
/// Most members a team has.
pub const TEAM_MEMBERS_MAX: usize = 40;

/// The lasting name of a team in the phone book: `T-0012`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TeamId(pub(crate) u32);

impl fmt::Display for TeamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T-{:04}", self.0)
    }
}

impl Serialize for TeamId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A team: its owner need not be a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    pub(crate) id: TeamId,
    pub(crate) name: String,
    pub(crate) owner: EmployeeId,
    pub(crate) members: Vec<EmployeeId>,
}

impl Team {
    /// The lasting name.
    pub fn id(&self) -> TeamId {
        self.id
    }

    /// The name that people read, unique in the company.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who answers for the team.
    pub fn owner(&self) -> EmployeeId {
        self.owner
    }

    /// The members, each once, in no order.
    pub fn members(&self) -> &[EmployeeId] {
        &self.members
    }
}
