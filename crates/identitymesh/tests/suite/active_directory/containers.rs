//! Administrators rename and move containers with people and groups in them, behind the product's back.

use super::world::World;

const NO_DRIFT: &str =
    "whoever refers to those who have another address now refers to the same people as before";

impl World {
    /// The rule says where people belong, so they are moved back, as the same objects; what goes on at the same time
    /// reaches them all the same. The rule for teams follows the domain, so those stay where they were put.
    pub(super) fn containers_are_moved_by_others(&mut self) {
        let research: Vec<usize> = self.in_department("Research");
        self.move_container("OU=Research,OU=Staff", "OU=Science", "OU=Staff");
        self.company.people[research[0]].title = "Head of Research".to_owned();
        self.company.people[research[1]].surname = "Curie".to_owned();
        self.company.people[research[2]].is_active = false;
        assert_eq!(self.settle("a renamed container"), 0, "{NO_DRIFT}");

        self.add_container("OU=Sites,OU=Staff");
        self.move_container("OU=Finance,OU=Staff", "OU=Finance", "OU=Sites,OU=Staff");
        assert_eq!(self.settle("a moved container"), 0, "{NO_DRIFT}");

        self.move_container("OU=Teams", "OU=Groups", "OU=Sites,OU=Staff");
        self.company.teams_place = "OU=Groups,OU=Sites,OU=Staff";
        self.company.teams[3].push(research[4]);
        assert_eq!(self.settle("groups that were moved stay where they are"), 0, "{NO_DRIFT}");
    }

    fn in_department(&self, department: &str) -> Vec<usize> {
        self.company
            .active()
            .filter(|(_, person)| person.department == department)
            .map(|(at, _)| at)
            .collect()
    }

    fn add_container(&self, dn: &str) {
        let base = &self.ad.base;
        self.ad
            .modify(&format!("dn: {dn},{base}\nchangetype: add\nobjectClass: organizationalUnit\n"))
            .unwrap();
    }

    fn move_container(&self, dn: &str, rdn: &str, parent: &str) {
        let base = &self.ad.base;
        let record = format!(
            "dn: {dn},{base}\nchangetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: 1\nnewsuperior: {parent},{base}\n"
        );
        self.ad.modify(&record).unwrap();
    }
}
