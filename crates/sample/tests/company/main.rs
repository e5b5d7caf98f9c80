//! The company through its public face: what is promised about people, about the two files, and about a day.

mod files;
mod people;
mod story;

use identitymesh_sample::{Company, Options};

fn company(people: usize, seed: u64) -> Company {
    Company::generate(&Options { people, seed, ..Options::default() }).expect("options are in bounds")
}

fn hr_csv(company: &Company) -> Vec<u8> {
    let mut out = Vec::new();
    company.write_hr_csv(&mut out).expect("memory takes everything");
    out
}

fn phone_book(company: &Company) -> Vec<u8> {
    let mut out = Vec::new();
    company.write_phone_book(&mut out).expect("memory takes everything");
    out
}
