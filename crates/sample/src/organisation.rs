//! The fixed frame of every sample company: departments with their titles, and locations.
//!
//! Department zero is the executive office, which holds one person; the shares of the others add up to 100.

/// A department and what people in it are called.
#[derive(Debug)]
pub(crate) struct Department {
    pub(crate) name: &'static str,
    /// Percent of all people.
    pub(crate) share: usize,
    pub(crate) cost_centre: u32,
    pub(crate) head: &'static str,
    pub(crate) lead: &'static str,
    pub(crate) titles: &'static [&'static str],
}

/// A place of work, with what its phone numbers look like.
#[derive(Debug)]
pub(crate) struct Location {
    pub(crate) name: &'static str,
    pub(crate) country_code: &'static str,
    pub(crate) area_code: &'static str,
    /// What is dialled before the area code inside the country.
    pub(crate) trunk_prefix: &'static str,
    pub(crate) mobile_prefix: &'static str,
}

macro_rules! department {
    ($name:literal, $share:literal, $cost_centre:literal, $head:literal, $lead:literal, $titles:expr) => {
        Department {
            name: $name,
            share: $share,
            cost_centre: $cost_centre,
            head: $head,
            lead: $lead,
            titles: &$titles,
        }
    };
}

macro_rules! location {
    ($name:literal, $country:literal, $area:literal, $trunk:literal, $mobile:literal) => {
        Location {
            name: $name,
            country_code: $country,
            area_code: $area,
            trunk_prefix: $trunk,
            mobile_prefix: $mobile,
        }
    };
}

pub(crate) const DEPARTMENTS: [Department; 15] = [
    department!("Executive Office", 0, 1000, "Chief Executive", "Chief of Staff", ["Executive Assistant"]),
    department!(
        "Finance",
        7,
        2100,
        "Head of Finance",
        "Finance Manager",
        ["Accountant", "Senior Accountant", "Controller", "Payroll Clerk", "Treasury Analyst"]
    ),
    department!(
        "Human Resources",
        4,
        2200,
        "Head of Human Resources",
        "HR Manager",
        ["HR Adviser", "Recruiter", "Training Coordinator", "Payroll Adviser"]
    ),
    department!(
        "Legal",
        2,
        2300,
        "General Counsel",
        "Legal Manager",
        ["Counsel", "Contract Manager", "Paralegal", "Data Protection Officer"]
    ),
    department!(
        "Information Technology",
        9,
        2400,
        "Head of IT",
        "IT Team Lead",
        [
            "Systems Engineer",
            "Identity Engineer",
            "Network Engineer",
            "Service Desk Analyst",
            "Database Administrator"
        ]
    ),
    department!(
        "Engineering",
        17,
        3100,
        "Head of Engineering",
        "Engineering Lead",
        ["Design Engineer", "Software Engineer", "Test Engineer", "Senior Engineer", "Technical Writer"]
    ),
    department!(
        "Research",
        6,
        3200,
        "Head of Research",
        "Research Lead",
        ["Scientist", "Senior Scientist", "Laboratory Technician", "Data Scientist"]
    ),
    department!(
        "Production",
        18,
        4100,
        "Head of Production",
        "Shift Supervisor",
        ["Machine Operator", "Assembler", "Toolmaker", "Production Planner", "Maintenance Fitter"]
    ),
    department!(
        "Quality",
        4,
        4200,
        "Head of Quality",
        "Quality Manager",
        ["Quality Inspector", "Quality Engineer", "Auditor"]
    ),
    department!(
        "Logistics",
        9,
        4300,
        "Head of Logistics",
        "Logistics Manager",
        ["Warehouse Worker", "Dispatcher", "Forklift Driver", "Customs Clerk", "Transport Planner"]
    ),
    department!(
        "Purchasing",
        3,
        4400,
        "Head of Purchasing",
        "Purchasing Manager",
        ["Buyer", "Senior Buyer", "Supplier Manager"]
    ),
    department!(
        "Sales",
        10,
        5100,
        "Head of Sales",
        "Sales Manager",
        [
            "Account Manager",
            "Sales Representative",
            "Key Account Manager",
            "Sales Assistant",
            "Presales Engineer"
        ]
    ),
    department!(
        "Marketing",
        4,
        5200,
        "Head of Marketing",
        "Marketing Manager",
        ["Marketing Specialist", "Graphic Designer", "Event Manager", "Copywriter"]
    ),
    department!(
        "Customer Service",
        6,
        5300,
        "Head of Customer Service",
        "Service Team Lead",
        ["Service Agent", "Field Technician", "Complaints Adviser", "Spare Parts Clerk"]
    ),
    department!(
        "Facilities",
        1,
        6100,
        "Head of Facilities",
        "Facilities Manager",
        ["Caretaker", "Receptionist", "Electrician"]
    ),
];

pub(crate) const LOCATIONS: [Location; 8] = [
    location!("Berlin", "49", "30", "0", "151"),
    location!("Zürich", "41", "44", "0", "79"),
    location!("Kraków", "48", "12", "", "601"),
    location!("Lyon", "33", "4", "0", "6"),
    location!("Málaga", "34", "952", "", "612"),
    location!("Göteborg", "46", "31", "0", "70"),
    location!("Cork", "353", "21", "0", "87"),
    location!("Plzeň", "420", "377", "", "602"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up() {
        assert_eq!(DEPARTMENTS.iter().map(|d| d.share).sum::<usize>(), 100);
        assert!(DEPARTMENTS.iter().all(|d| !d.titles.is_empty()));
    }
}
