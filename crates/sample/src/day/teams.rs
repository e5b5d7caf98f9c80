//! The day in the teams: leavers drop out, some members go, some come, ownerless teams find an owner.

use std::collections::{HashMap, HashSet};

use super::{Day, MEMBERS_ADDED_PER_10_000, MEMBERS_REMOVED_PER_10_000};
use crate::person::EmployeeId;
use crate::story::Event;
use crate::team::{TEAM_MEMBERS_MAX, TEAM_MEMBERS_MIN, Team};

/// How often, for each change wanted, a team that allows it is looked for.
const TEAM_TRIES: usize = 50;

impl Day<'_> {
    pub(super) fn change_teams(&mut self) {
        if self.next.teams.is_empty() {
            return;
        }
        self.drop_leavers();
        self.remove_members();
        self.add_members();
        self.tell_of_teams();
    }

    fn drop_leavers(&mut self) {
        let leavers = self.before.people.iter().filter(|person| self.gone.contains(&person.employee_id));
        let heirs: HashMap<EmployeeId, EmployeeId> =
            leavers.filter_map(|person| Some((person.employee_id, person.manager?))).collect();
        for team in &mut self.next.teams {
            team.members.retain(|member| !self.gone.contains(member));
            if let Some(heir) = heirs.get(&team.owner) {
                team.owner = *heir;
            }
        }
    }

    fn remove_members(&mut self) {
        self.repeat_until_done(MEMBERS_REMOVED_PER_10_000, |day, at| {
            let team = &mut day.next.teams[at];
            let may_go = team.members.len() > TEAM_MEMBERS_MIN;
            if may_go {
                team.members.swap_remove(day.rng.below(team.members.len()));
            }
            may_go
        });
    }

    /// Nobody comes back into a team on the day they left it, so that every step shows in the files.
    fn add_members(&mut self) {
        self.repeat_until_done(MEMBERS_ADDED_PER_10_000, |day, at| {
            let newcomer = day.rng.pick(&day.next.people).employee_id;
            let was_member = day.before.teams[at].members.contains(&newcomer);
            let team = &mut day.next.teams[at];
            let may_come =
                !was_member && !team.members.contains(&newcomer) && team.members.len() < TEAM_MEMBERS_MAX;
            if may_come {
                team.members.push(newcomer);
            }
            may_come
        });
    }

    /// Changes random teams until the day's amount is reached, or gives up where the teams do not allow it.
    fn repeat_until_done(&mut self, per_10_000: usize, mut change: impl FnMut(&mut Self, usize) -> bool) {
        let mut wanted = self.amount(per_10_000);
        for _ in 0..wanted * TEAM_TRIES {
            if wanted == 0 {
                return;
            }
            let at = self.rng.below(self.next.teams.len());
            wanted -= usize::from(change(self, at));
        }
    }

    fn tell_of_teams(&mut self) {
        for (before, after) in self.before.teams.iter().zip(&self.next.teams) {
            let added = missing_from(before, after);
            let removed = missing_from(after, before);
            let owner = (before.owner != after.owner).then_some(after.owner);
            if !added.is_empty() || !removed.is_empty() || owner.is_some() {
                self.events.push(Event::TeamChanged {
                    team: after.id,
                    name: after.name.clone(),
                    added,
                    removed,
                    owner,
                });
            }
        }
    }
}

/// The members of `more` that `less` does not have.
fn missing_from(less: &Team, more: &Team) -> Vec<EmployeeId> {
    let known: HashSet<&EmployeeId> = less.members.iter().collect();
    more.members.iter().filter(|member| !known.contains(member)).copied().collect()
}
