//! Telephone numbers, which people change in the phone book, in the domain and in the personnel file.

use super::company::Company;
use super::world::World;

impl World {
    /// A number that is changed anywhere is everywhere after a cycle, and goes no further.
    pub(super) fn numbers_go_both_ways(&mut self) {
        self.type_into_book(100, Some("+49 30 1000"));
        self.type_into_domain(101, Some("+49 30 1001"));
        self.company.people[102].phone = Some("+49 30 1002".to_owned());
        // Nobody had written one down before.
        self.type_into_book(104, Some("+49 30 1004"));
        self.type_into_domain(109, Some("+49 30 1009"));
        self.settle("numbers that change in one place");

        // The book's word counts more than the domain's, and both more than the file's.
        self.type_into_book(110, Some("+49 30 2000"));
        self.type_into_domain(110, Some("+49 30 2999"));
        self.type_into_domain(111, Some("+49 30 2001"));
        self.company.people[111].phone = Some("+49 30 2998".to_owned());
        self.type_into_book(112, Some("+49 30 2002"));
        self.type_into_domain(112, Some("+49 30 2002"));
        self.settle("numbers that change in two places at once");

        // What the book said before goes on to count.
        self.type_into_domain(100, Some("+49 30 3000"));
        self.company.people[104].phone = Some("+49 30 3004".to_owned());
        // What the domain said before does not, once the book says something else.
        self.type_into_book(101, Some("+49 30 3001"));
        // The same number written in another way.
        self.type_into_book(113, Some("+49 305550113"));
        self.company.people[116].phone = Some("+49 305550116".to_owned());
        self.settle("numbers that change again");

        // With the book's word withdrawn the next takes over; it is written into the book again.
        self.type_into_book(100, None);
        self.type_into_book(104, None);
        self.type_into_domain(109, None);
        self.type_into_book(110, None);
        self.type_into_domain(115, None);
        self.settle("numbers that are taken out");
    }

    fn type_into_book(&mut self, at: usize, number: Option<&str>) {
        let dn = format!("uid=p{},ou=people,{}", Company::id(at), self.book.suffix);
        self.book.modify(&replacing(&dn, "telephoneNumber", number)).unwrap();
        self.company.people[at].book_number.change(number);
    }

    fn type_into_domain(&mut self, at: usize, number: Option<&str>) {
        self.ad.modify(&replacing(&self.current_dn(at), "telephoneNumber", number)).unwrap();
        self.company.people[at].domain_number.change(number);
    }

    /// An attribute of which only the domain knows.
    pub(super) fn type_office(&mut self, at: usize, office: &str) {
        self.ad.modify(&replacing(&self.current_dn(at), "physicalDeliveryOfficeName", Some(office))).unwrap();
        self.company.people[at].office = Some(office.to_owned());
    }

    fn current_dn(&self, at: usize) -> String {
        let filter = format!("(sAMAccountName=p{})", Company::id(at));
        let found = self.ad.search(&self.ad.base, &filter, &["cn"]).unwrap();
        found.into_keys().next().unwrap()
    }
}

/// A change record; names and values of a story are plain ASCII, but for names of entries.
fn replacing(dn: &str, attribute: &str, value: Option<&str>) -> String {
    let value = value.map(|value| format!("{attribute}: {value}\n")).unwrap_or_default();
    format!("dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{value}")
}
