//! A telephone number in one directory, and who counts when several people say what it is.
//!
//! The rules of `docs/sync-semantics.md` in a dozen lines, so that the product is not checked by itself: what it wrote
//! into a directory is no news there, what somebody else wrote is; the phone book's word counts more than the
//! domain's, and the domain's more than the personnel file's.

use super::company::{Company, Person};

/// What a directory holds, and what the product wrote there last.
#[derive(Default)]
pub(super) struct Number {
    now: Option<String>,
    written: Option<String>,
}

impl Number {
    /// Somebody changes it in the directory itself.
    pub(super) fn change(&mut self, number: Option<&str>) {
        self.now = number.map(str::to_owned);
    }

    pub(super) fn now(&self) -> Option<&str> {
        self.now.as_deref()
    }

    fn news(&self) -> Option<&str> {
        self.now().filter(|_| self.now != self.written)
    }

    fn follow(&mut self, wanted: Option<&str>) {
        if self.now() != wanted {
            self.now = wanted.map(str::to_owned);
            self.written.clone_from(&self.now);
        }
    }
}

impl Person {
    /// Their number, by what everybody says.
    fn number(&self) -> Option<String> {
        let said = self.book_number.news().or(self.domain_number.news()).or(self.phone.as_deref());
        said.map(str::to_owned)
    }
}

impl Company {
    /// What a cycle makes of everybody's number: who works here has the same in both directories, who left is in the
    /// book no more and stays in the domain as they were.
    pub(super) fn settle_numbers(&mut self) {
        for person in &mut self.people {
            if !person.is_active {
                person.book_number = Number::default();
                continue;
            }
            let number = person.number();
            person.domain_number.follow(number.as_deref());
            person.book_number.follow(number.as_deref());
        }
    }
}
