//! Words that made-up people are made of.

pub(crate) const GIVEN_NAMES: [&str; 16] = [
    "Anna",
    "Björn",
    "Chiara",
    "Daniel",
    "Elif",
    "Fatima",
    "Greta",
    "Hiroshi",
    "Ines",
    "Jonas",
    "Katarzyna",
    "Liam",
    "Mei",
    "Noah",
    "Olga",
    "Zoë",
];
pub(crate) const SURNAMES: [&str; 16] = [
    "Andersen",
    "Becker",
    "Costa",
    "Dubois",
    "Eriksson",
    "Fischer",
    "Garcia",
    "Hansen",
    "Ivanova",
    "Jansen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Novak",
    "Schneider",
    "Tanaka",
];
/// Surnames as they stand in mail addresses.
pub(crate) const MAIL_SURNAMES: [&str; 16] = [
    "andersen",
    "becker",
    "costa",
    "dubois",
    "eriksson",
    "fischer",
    "garcia",
    "hansen",
    "ivanova",
    "jansen",
    "kowalski",
    "lindqvist",
    "moreau",
    "novak",
    "schneider",
    "tanaka",
];
pub(crate) const CITIES: [&str; 8] =
    ["Amsterdam", "Berlin", "Copenhagen", "Dublin", "Kraków", "Lisbon", "Stockholm", "Zürich"];
pub(crate) const COUNTRIES: [&str; 8] = ["NL", "DE", "DK", "IE", "PL", "PT", "SE", "CH"];
pub(crate) const LANGUAGES: [&str; 8] =
    ["nl-NL", "de-DE", "da-DK", "en-IE", "pl-PL", "pt-PT", "sv-SE", "de-CH"];
pub(crate) const DEPARTMENTS: [&str; 8] = [
    "Accounting",
    "Customer Care",
    "Engineering",
    "Human Resources",
    "Legal",
    "Logistics",
    "Research",
    "Sales",
];
pub(crate) const TITLES: [&str; 8] = [
    "Accountant",
    "Administrator",
    "Analyst",
    "Consultant",
    "Engineer",
    "Manager",
    "Researcher",
    "Specialist",
];
pub(crate) const COMPANIES: [&str; 4] =
    ["Contoso Holding", "Fabrikam Retail", "Litware Systems", "Northwind Trade"];
